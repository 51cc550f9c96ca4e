/* Sets the time of day elsewhere for a program and what it starts, by ANOTHER_DATE_SECONDS:
   cc -shared -fPIC -o another_date.so another_date.c; LD_PRELOAD=./another_date.so date
   Only the time of day: seconds are measured as ever, and files keep the machine's dates.
   Debian's libfaketime does more, and breaks the sleeping of Python 3.11 with it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long seconds;

__attribute__((constructor)) static void read_seconds(void) {
    const char *text = getenv("ANOTHER_DATE_SECONDS");
    seconds = text ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += seconds;
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (out) *out = exact.tv_sec;
    return exact.tv_sec;
}

int timespec_get(struct timespec *now, int base) {
    return base == TIME_UTC && !clock_gettime(CLOCK_REALTIME, now) ? base : 0;
}

/* The kernel waits by the real time of day. Monotonic ends are years before any date. */
static struct timespec real_end(const struct timespec *end) {
    struct timespec real = *end;
    if (real.tv_sec > 1000000000) real.tv_sec -= seconds;
    return real;
}

int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict end) {
    int (*next)(sem_t *, const struct timespec *) = dlsym(RTLD_NEXT, "sem_timedwait");
    struct timespec real = real_end(end);
    return next(sem, &real);
}

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict end) {
    int (*next)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *) =
        dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    struct timespec real = real_end(end);
    if (!next) next = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    return next(cond, mutex, &real);
}
