/* A library that dies in every way native code does; one function each. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile int zero = 0;
static int *volatile nowhere = NULL;

void die_segv(void) { *nowhere = 1; }
void die_abort(void) { abort(); }
void die_fpe(void) { zero = 7 / zero; }
void die_ill(void) { __builtin_trap(); }

/* the instruction is in the C library, or nowhere: the stack has to tell */
void die_in_strlen(void) { zero = (int)strlen((const char *)nowhere); }
void die_jump(void) { ((void (*volatile)(void))NULL)(); zero = 1; }
void die_heap(void) {
    char *volatile inside = calloc(64, 1); /* what free() reads is not left to chance */
    free((char *)inside + 8);
}

void die_bus(void) {
    FILE *file = tmpfile();
    char *data = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(file), 0);
    zero = data[0]; /* behind the end of the file */
}

static void *run(void *unused) {
    (void)unused;
    die_segv();
    return NULL;
}

void die_in_a_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, run, NULL);
    pthread_join(thread, NULL);
}

static int die_later = 0;
void die_at_exit(void) { die_later = 1; }
__attribute__((destructor)) static void at_exit(void) {
    if (die_later) die_segv();
}
