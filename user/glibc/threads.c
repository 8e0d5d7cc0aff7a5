/* pthreads: create, join, detach, mutex, condition, barrier, TLS, once, semaphores, rwlock, cancel.
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 4, TURNS = 5000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static sem_t sem;
static long counter;
static atomic_int destroyed, initialised, detached_done;
static __thread int own = 5;

static void *count(void *arg)
{
	int id = (int)(intptr_t)arg;

	check(own == 5, "a new thread's TLS holds %d", own);
	own = id;
	for (int i = 0; i < TURNS; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
	}
	check(own == id, "thread %d sees TLS of %d", id, own);
	return (void *)(intptr_t)(id * 10);
}

static void mutex_and_join(void)
{
	pthread_t t[THREADS];
	void *result;

	for (intptr_t i = 0; i < THREADS; i++)
		check(pthread_create(&t[i], NULL, count, (void *)(i + 100)) == 0, "create %d",
		      (int)i);
	for (intptr_t i = 0; i < THREADS; i++) {
		check(pthread_join(t[i], &result) == 0, "join");
		check((intptr_t)result == (i + 100) * 10, "result %ld", (long)(intptr_t)result);
	}
	check(counter == THREADS * TURNS, "counter is %ld", counter);
	check(own == 5, "main's TLS is %d", own);
}

static int turn;

static void *ping(void *arg)
{
	int me = (int)(intptr_t)arg;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < 300; i++) {
		while (turn != me)
			pthread_cond_wait(&changed, &lock);
		turn = !me;
		pthread_cond_broadcast(&changed);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void condition(void)
{
	struct timespec until;
	pthread_t other;

	check(pthread_create(&other, NULL, ping, (void *)1) == 0, "create");
	ping((void *)0);
	check(pthread_join(other, NULL) == 0 && turn == 0, "turn %d", turn);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 20000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&lock);
	check(pthread_cond_timedwait(&changed, &lock, &until) == ETIMEDOUT, "no timeout");
	pthread_mutex_unlock(&lock);
}

static void on_exit_of_thread(void *value)
{
	(void)value;
	destroyed++;
}

static void initialise(void)
{
	initialised++;
}

static void *meet(void *arg)
{
	check(pthread_setspecific(key, arg) == 0, "setspecific");
	pthread_once(&once, initialise);
	for (int i = 0; i < 20; i++)
		pthread_barrier_wait(&barrier);
	sem_post(&sem);
	return NULL;
}

static void barrier_key_once_sem(void)
{
	pthread_t t[THREADS];

	check(pthread_barrier_init(&barrier, NULL, THREADS) == 0 && sem_init(&sem, 0, 0) == 0 &&
		      pthread_key_create(&key, on_exit_of_thread) == 0,
	      "init");
	for (int i = 0; i < THREADS; i++)
		check(pthread_create(&t[i], NULL, meet, &counter) == 0, "create");
	for (int i = 0; i < THREADS; i++)
		check(sem_wait(&sem) == 0, "sem_wait");
	for (int i = 0; i < THREADS; i++)
		check(pthread_join(t[i], NULL) == 0, "join");
	check(destroyed == THREADS && initialised == 1, "%d and %d", destroyed, initialised);
}

static void *detached(void *arg)
{
	(void)arg;
	detached_done++;
	return NULL;
}

static void many(void)
{
	pthread_attr_t attr;
	pthread_t t;

	for (int i = 0; i < 50; i++) {
		check(pthread_create(&t, NULL, count, (void *)1) == 0, "create %d", i);
		check(pthread_join(t, NULL) == 0, "join %d", i);
	}
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 65536);
	for (int i = 0; i < 20; i++)
		check(pthread_create(&t, &attr, detached, NULL) == 0, "create detached %d", i);
	for (int i = 0; i < 2000 && detached_done < 20; i++)
		usleep(5000);
	check(detached_done == 20, "%d detached threads ran", detached_done);
}

static void *allocate(void *arg)
{
	unsigned int seed = (intptr_t)arg;
	char *held[32] = {NULL};

	for (int i = 0; i < 3000; i++) {
		int k = rand_r(&seed) % 32;
		size_t n = 16 + rand_r(&seed) % 4000;

		if (held[k])
			check(held[k][0] == k, "block %d holds %d", k, held[k][0]);
		free(held[k]);
		held[k] = malloc(n);
		check(held[k], "malloc");
		memset(held[k], k, n);
	}
	for (int k = 0; k < 32; k++)
		free(held[k]);
	return NULL;
}

static void *forever(void *arg)
{
	(void)arg;
	for (;;)
		sleep(100);
	return NULL;
}

static void heap_and_cancel(void)
{
	pthread_t t[THREADS];
	void *result;

	for (intptr_t i = 0; i < THREADS; i++)
		check(pthread_create(&t[i], NULL, allocate, (void *)(i + 1)) == 0, "create");
	for (int i = 0; i < THREADS; i++)
		check(pthread_join(t[i], NULL) == 0, "join");
	check(pthread_create(&t[0], NULL, forever, NULL) == 0, "create");
	usleep(10000);
	check(pthread_cancel(t[0]) == 0 && pthread_join(t[0], &result) == 0, "cancel");
	check(result == PTHREAD_CANCELED, "not cancelled");
}

/* A process whose main thread leaves while others run, and one whose thread calls exit. */
static void *leave(void *arg)
{
	(void)arg;
	usleep(20000);
	exit(23);
}

static void thread_group_exit(void)
{
	pthread_t t[THREADS];
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < THREADS - 1; i++)
			pthread_create(&t[i], NULL, forever, NULL);
		pthread_create(&t[3], NULL, leave, NULL);
		pthread_exit(NULL);
	}
	check(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 23, "status %x", status);
}

int main(void)
{
	mutex_and_join();
	condition();
	barrier_key_once_sem();
	many();
	heap_and_cancel();
	thread_group_exit();
	return done("threads");
}
