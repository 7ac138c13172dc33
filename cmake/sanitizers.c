/* C11 threads on POSIX threads, for the sanitizer presets only. librdkafka makes its threads and locks with C11's calls,
 * which ThreadSanitizer does not intercept: a thread that it has not seen begin breaks it, and a lock that it does not see
 * is a race. Linked into every executable, these stand before glibc's. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(mtx_t), "mtx_t is too small");
_Static_assert(sizeof(pthread_cond_t) <= sizeof(cnd_t), "cnd_t is too small");
_Static_assert(sizeof(pthread_t) == sizeof(thrd_t), "thrd_t is not a pthread_t");
_Static_assert(sizeof(pthread_once_t) == sizeof(once_flag), "once_flag is not a pthread_once_t");

static int result_of(int error) {
    switch (error) {
    case 0: return thrd_success;
    case EBUSY: return thrd_busy;
    case ENOMEM: return thrd_nomem;
    case ETIMEDOUT: return thrd_timedout;
    default: return thrd_error;
    }
}

struct start {
    thrd_start_t run;
    void* with;
};

static void* begin(void* given) {
    const struct start s = *(struct start*)given;
    free(given);
    return (void*)(intptr_t)s.run(s.with);
}

int thrd_create(thrd_t* thread, thrd_start_t run, void* with) {
    struct start* s = malloc(sizeof *s);
    if (!s) {
        return thrd_nomem;
    }
    s->run = run;
    s->with = with;
    const int error = pthread_create((pthread_t*)thread, NULL, begin, s);
    if (error) {
        free(s);
    }
    return error == EAGAIN ? thrd_nomem : result_of(error);
}

thrd_t thrd_current(void) { return (thrd_t)pthread_self(); }

int thrd_join(thrd_t thread, int* result) {
    void* returned = NULL;
    const int error = pthread_join((pthread_t)thread, &returned);
    if (result) {
        *result = (int)(intptr_t)returned;
    }
    return result_of(error);
}

int mtx_init(mtx_t* m, int type) {
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
    const int error = pthread_mutex_init((pthread_mutex_t*)m, &kind);
    pthread_mutexattr_destroy(&kind);
    return result_of(error);
}

int mtx_lock(mtx_t* m) { return result_of(pthread_mutex_lock((pthread_mutex_t*)m)); }
int mtx_trylock(mtx_t* m) { return result_of(pthread_mutex_trylock((pthread_mutex_t*)m)); }
int mtx_unlock(mtx_t* m) { return result_of(pthread_mutex_unlock((pthread_mutex_t*)m)); }
void mtx_destroy(mtx_t* m) { pthread_mutex_destroy((pthread_mutex_t*)m); }

int cnd_init(cnd_t* c) { return result_of(pthread_cond_init((pthread_cond_t*)c, NULL)); }
int cnd_signal(cnd_t* c) { return result_of(pthread_cond_signal((pthread_cond_t*)c)); }
int cnd_broadcast(cnd_t* c) { return result_of(pthread_cond_broadcast((pthread_cond_t*)c)); }
void cnd_destroy(cnd_t* c) { pthread_cond_destroy((pthread_cond_t*)c); }
int cnd_wait(cnd_t* c, mtx_t* m) { return result_of(pthread_cond_wait((pthread_cond_t*)c, (pthread_mutex_t*)m)); }
int cnd_timedwait(cnd_t* restrict c, mtx_t* restrict m, const struct timespec* restrict until) {
    return result_of(pthread_cond_timedwait((pthread_cond_t*)c, (pthread_mutex_t*)m, until));
}

void call_once(once_flag* flag, void (*run)(void)) { pthread_once((pthread_once_t*)flag, run); }
