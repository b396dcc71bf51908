/* Faults that tests arm from outside, by LD_PRELOAD: disk calls that fail, and a wall clock that jumps.

   FAULT_CALL   pwrite or sync: which calls on files fail
   FAULT_ERRNO  with which errno
   FAULT_AFTER  so many calls succeed before
   FAULT_ONCE   if set, only one call fails
   FAULT_PATH   only files whose path holds this text
   FAULT_CLOCK  a file of one line: seconds that are added to the wall clock, read anew at each look
   FAULT_SLEEP  if set, they are added to the boot time too, as if the machine had slept */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls;

static int is_ours(int file) {
    const char *wanted = getenv("FAULT_PATH");
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (wanted == NULL || length < 0) return 0;
    path[length] = 0;
    return strstr(path, wanted) != NULL;
}

static int fails(const char *call, int file) {
    const char *armed = getenv("FAULT_CALL"), *after = getenv("FAULT_AFTER"), *number = getenv("FAULT_ERRNO");
    if (armed == NULL || number == NULL || strcmp(armed, call) != 0 || !is_ours(file)) return 0;
    long call_number = atomic_fetch_add(&calls, 1), first = after ? atol(after) : 0;
    if (call_number < first || (getenv("FAULT_ONCE") && call_number > first)) return 0;
    errno = atoi(number);
    return 1;
}

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

ssize_t pwrite64(int file, const void *data, size_t size, off64_t offset) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return fails("pwrite", file) ? -1 : real(file, data, size, offset);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t offset) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return fails("pwrite", file) ? -1 : real(file, data, size, offset);
}

int fsync(int file) {
    REAL(int, "fsync", int);
    return fails("sync", file) ? -1 : real(file);
}

int fdatasync(int file) {
    REAL(int, "fdatasync", int);
    return fails("sync", file) ? -1 : real(file);
}

static long clock_offset(void) {
    const char *path = getenv("FAULT_CLOCK");
    char text[32] = "";
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    return length > 0 ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL(int, "clock_gettime", clockid_t, struct timespec *);
    int result = real(clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || (clock == CLOCK_BOOTTIME && getenv("FAULT_SLEEP"))))
        now->tv_sec += clock_offset();
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    REAL(int, "gettimeofday", struct timeval *, void *);
    int result = real(now, zone);
    if (result == 0) now->tv_sec += clock_offset();
    return result;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}
