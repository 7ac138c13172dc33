// Preloaded into a process: what is to be wrong for it alone stands in the file that SEMEL_CLOCK names, and may change at
// any moment. First the microseconds that its wall clock is ahead of the machine's. Steady clocks are left alone, as a
// step of a real clock leaves them. libfaketime, which does the same, makes clock_nanosleep() fail. Then a TCP port that
// it cannot reach: its connections there end, and new ones fail.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { HIGHEST_SOCKET = 4096, LOOK_AGAIN_MS = 50 };

struct wrongs {
    int64_t offset_us;
    int64_t cut_port;
};

static const volatile struct wrongs* wrongs;
static int (*real_clock_gettime)(clockid_t, struct timespec*);

__attribute__((constructor)) static void open_clock(void) {
    real_clock_gettime = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
    const char* name = getenv("SEMEL_CLOCK");
    const int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        void* page = mmap(NULL, sizeof *wrongs, PROT_READ, MAP_SHARED, file, 0);
        wrongs = page == MAP_FAILED ? NULL : page;
        close(file);
    }
}

static int port_of(const struct sockaddr* a) {
    switch (a->sa_family) {
    case AF_INET:
        return ntohs(((const struct sockaddr_in*)a)->sin_port);
    case AF_INET6:
        return ntohs(((const struct sockaddr_in6*)a)->sin6_port);
    default:
        return 0;
    }
}

int connect(int fd, const struct sockaddr* to, socklen_t size) {
    static int (*real_connect)(int, const struct sockaddr*, socklen_t);
    if (!real_connect) {
        real_connect = (int (*)(int, const struct sockaddr*, socklen_t))dlsym(RTLD_NEXT, "connect");
    }
    if (wrongs && wrongs->cut_port && port_of(to) == wrongs->cut_port) {
        errno = ENETUNREACH;
        return -1;
    }
    return real_connect(fd, to, size);
}

// Every loop asks for the time: there is no better moment to see that connections are to end.
static void cut(void) {
    static int64_t looked_ms;
    struct timespec now;
    real_clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    const int64_t ms = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
    const int64_t last = __atomic_load_n(&looked_ms, __ATOMIC_RELAXED);
    if (ms - last < LOOK_AGAIN_MS) {
        return;
    }
    __atomic_store_n(&looked_ms, ms, __ATOMIC_RELAXED);
    const int before = errno;
    for (int fd = 3; fd < HIGHEST_SOCKET; ++fd) {
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        if (getpeername(fd, (struct sockaddr*)&peer, &size) == 0 && port_of((struct sockaddr*)&peer) == wrongs->cut_port) {
            shutdown(fd, SHUT_RDWR);
        }
    }
    errno = before;
}

int clock_gettime(clockid_t id, struct timespec* t) {
    if (!real_clock_gettime) { // another constructor asks first
        real_clock_gettime = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
    }
    const int result = real_clock_gettime(id, t);
    if (wrongs && wrongs->cut_port) {
        cut();
    }
    if (result == 0 && wrongs && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        const int64_t ns = t->tv_sec * INT64_C(1000000000) + t->tv_nsec + wrongs->offset_us * 1000;
        t->tv_sec = ns / 1000000000;
        t->tv_nsec = ns % 1000000000;
    }
    return result;
}

int gettimeofday(struct timeval* restrict t, void* restrict zone) {
    (void)zone;
    struct timespec now;
    const int result = clock_gettime(CLOCK_REALTIME, &now);
    t->tv_sec = now.tv_sec;
    t->tv_usec = now.tv_nsec / 1000;
    return result;
}

time_t time(time_t* out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}
