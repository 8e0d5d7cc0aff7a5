/* Making processes: fork and exec of itself, vfork, posix_spawn, system, popen, pipes between them.
 */
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

extern char **environ;

/* What the program does when it is started again by itself. */
static int child(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[2], "blank  inside") && !strcmp(argv[3], "") &&
	    getenv("SPAWNED") && !strcmp(getenv("SPAWNED"), "yes"))
		return 42;
	return 1;
}

static int status_of(pid_t pid)
{
	int status = -1;

	check(pid > 0 && waitpid(pid, &status, 0) == pid, "waitpid of %d", pid);
	return status;
}

static void start_self(char *self)
{
	char *argv[] = {self, "--child", "blank  inside", "", NULL};
	char *env[] = {"SPAWNED=yes", NULL};
	posix_spawn_file_actions_t actions;
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		execve(self, argv, env);
		_exit(99);
	}
	status = status_of(pid);
	check(WEXITSTATUS(status) == 42, "fork and exec gave %x", status);

	pid = vfork();
	if (pid == 0) {
		execve("/does/not/exist", argv, env);
		_exit(errno == ENOENT ? 17 : 18);
	}
	status = status_of(pid);
	check(WEXITSTATUS(status) == 17, "vfork and a failing exec gave %x", status);

	check(posix_spawn_file_actions_init(&actions) == 0 &&
		      posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) == 0,
	      "file actions");
	check(posix_spawn(&pid, self, &actions, NULL, argv, env) == 0, "posix_spawn");
	posix_spawn_file_actions_destroy(&actions);
	status = status_of(pid);
	check(WEXITSTATUS(status) == 42, "posix_spawn gave %x", status);
	check(posix_spawn(&pid, "/does/not/exist", NULL, NULL, argv, env) == ENOENT,
	      "posix_spawn started what is not there");
}

static void shell(void)
{
	char line[64] = "";
	FILE *f;
	int status;

	check(system(NULL) != 0, "no shell");
	status = system("exit 7");
	check(WIFEXITED(status) && WEXITSTATUS(status) == 7, "system gave %x", status);
	status = system("true && false || exit 9");
	check(WEXITSTATUS(status) == 9, "system gave %x", status);

	f = popen("echo hello; echo world", "r");
	check(f && fgets(line, sizeof(line), f) && !strcmp(line, "hello\n"), "popen read '%s'",
	      line);
	check(fgets(line, sizeof(line), f) && !strcmp(line, "world\n"), "popen read '%s'", line);
	check(pclose(f) == 0, "pclose");

	f = popen("cat > spawn.tmp", "w");
	check(f && fputs("through a pipe\n", f) >= 0 && pclose(f) == 0, "popen w");
	f = fopen("spawn.tmp", "r");
	check(f && fgets(line, sizeof(line), f) && !strcmp(line, "through a pipe\n"),
	      "the file holds '%s'", line);
	fclose(f);
	unlink("spawn.tmp");
}

static void pipes(void)
{
	char buffer[64];
	int p[2], status;
	pid_t pid;
	ssize_t n, total = 0;

	check(pipe(p) == 0, "pipe");
	pid = fork();
	if (pid == 0) {
		close(p[0]);
		for (int i = 0; i < 1000; i++)
			if (dprintf(p[1], "%04d\n", i) != 5)
				_exit(1);
		_exit(0);
	}
	close(p[1]);
	while ((n = read(p[0], buffer, sizeof(buffer))) > 0)
		total += n;
	check(n == 0 && total == 5000, "read %zd bytes", total);
	close(p[0]);
	status = status_of(pid);
	check(status == 0, "the writer ended with %x", status);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--child"))
		return child(argc, argv);
	start_self(argv[0]);
	shell();
	pipes();
	return done("spawn");
}
