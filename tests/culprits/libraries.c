/* Libraries of built culprits; -DROLE chooses which one. Each does what its name says, really. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(GOOD)
int start_kernels(void) { return 9501; }

#elif defined(CRASHES)
int start_kernels(void) { return *(volatile int *)8; }

#elif defined(OLDER) /* has no start_kernels */
int start_something_else(void) { return 9100; }

#elif defined(USES) /* what a framework links: the function comes from the library that the loader finds */
int start_kernels(void);
int use_kernels(void) { return start_kernels(); }

#elif defined(DIES_AT_START)
__attribute__((constructor)) static void start(void) { *(volatile int *)8 = 1; }

#elif defined(READS_VARIABLE)
int read_variable(void) {
    const char *value = getenv("KMP_AFFINITY");
    if (value != NULL && strstr(value, "broken") != NULL) {
        fputs("OMP: Error #100: Fatal system error detected.\n", stderr);
        abort();
    }
    return 0;
}

#elif defined(OPENMP) /* as LLVM's and Intel's runtimes do: the second to come finds the first's mark, and aborts */
__attribute__((constructor)) static void enlist(void) {
    const char *other = getenv("__BUILT_OPENMP");
    if (other != NULL && strcmp(other, NAME) != 0) {
        fprintf(stderr, "OMP: Error #15: Initializing %s, but found %s already initialized.\n", NAME, other);
        abort();
    }
    setenv("__BUILT_OPENMP", NAME, 1);
}

#elif defined(FIRST) /* leaves a mark that SECOND falls over, unless SECOND was there before */
int first(void) {
    if (getenv("__BUILT_SECOND") == NULL)
        setenv("__BUILT_FIRST", "1", 1);
    return 0;
}

#elif defined(SECOND)
int second(void) {
    if (getenv("__BUILT_FIRST") != NULL)
        return *(volatile int *)8;
    setenv("__BUILT_SECOND", "1", 1);
    return 0;
}
#endif
