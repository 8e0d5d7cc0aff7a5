"""Debian's chromium without a window, spoken to through its debugging pipe: opens a page, tells what went wrong."""
import base64
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import time

PATIENCE = 180


def chromium():
    """The program, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """with Browser(folder) as browser: browser.open("file:///…")"""

    def __init__(self, folder):
        self.folder, self.number, self.events, self.rest = folder, 0, [], b""

    def __enter__(self):
        to_read, self.to = os.pipe()
        self.come, to_write = os.pipe()
        words = [chromium(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                 "--disable-dev-shm-usage", "--disable-extensions", "--no-first-run", "--disable-component-update",
                 "--hide-scrollbars", f"--user-data-dir={self.folder}", "--remote-debugging-pipe", "about:blank"]

        def pipes():    # chromium reads descriptor 3 and writes 4
            a, b = os.dup(to_read), os.dup(to_write)
            os.dup2(a, 3)
            os.dup2(b, 4)
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        close_fds=False, preexec_fn=pipes, start_new_session=True,
                                        env=dict(os.environ, HOME=self.folder))
        os.close(to_read)
        os.close(to_write)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.to)
        os.close(self.come)

    def message(self, end):
        while b"\0" not in self.rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.come], [], [], left)[0]:
                raise TimeoutError("chromium does not answer")
            data = os.read(self.come, 1 << 16)
            if not data:
                raise RuntimeError("chromium ended")
            self.rest += data
        text, _, self.rest = self.rest.partition(b"\0")
        return json.loads(text)

    def call(self, method, **params):
        self.number += 1
        asked = {"id": self.number, "method": method, "params": params}
        if getattr(self, "session", None):
            asked["sessionId"] = self.session
        data, end = json.dumps(asked).encode() + b"\0", time.monotonic() + PATIENCE
        while data:
            data = data[os.write(self.to, data):]
        while True:
            answer = self.message(end)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def wait(self, event):
        end = time.monotonic() + PATIENCE
        while not any(e.get("method") == event for e in self.events):
            self.events.append(self.message(end))

    def open(self, url, width=1280, height=900, phone=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1,
                  mobile=phone)
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.wait("Page.loadEventFired")

    def complaints(self):
        """Errors and warnings on the console, exceptions, and requests for anything but the page itself."""
        self.evaluate("new Promise(done => setTimeout(done, 200))")
        found = []
        for event in self.events:
            about, params = event.get("method"), event.get("params", {})
            if about == "Runtime.exceptionThrown":
                found.append(params["exceptionDetails"].get("exception", {}).get("description", "an exception"))
            elif about == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
                found.append(" ".join(str(a.get("value")) for a in params["args"]))
            elif about == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                found.append(params["entry"]["text"])
            elif about == "Network.requestWillBeSent" and params.get("type") != "Document" and \
                    not params["request"]["url"].startswith("data:"):
                found.append(f"it asks for {params['request']['url']}")
            elif about == "Page.javascriptDialogOpening":
                found.append(f"a dialogue opens: {params['message']}")
        return found

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"].get("exception", {}).get("description", expression))
        return result["result"].get("value")

    def screenshot(self, path, whole=True):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def pdf(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.printToPDF", printBackground=True, landscape=True)["data"]))
