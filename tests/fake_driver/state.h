/* What both fake libraries answer, read from the environment at every call.

   FAKE_NVIDIA_DRIVER  "570.124.06"
   FAKE_NVIDIA_CUDA    "12.8"
   FAKE_NVIDIA_GPUS    "NVIDIA A100-SXM4-80GB|8.0;Tesla T4|7.5"
   FAKE_NVIDIA_HOLDERS "4242:1048576;77:4096"  processes on the first GPU, and their bytes
   FAKE_NVIDIA_FAULT   "nvml_init:9"  nvmlInit returns 9          "cuda_init:803" cuInit returns 803
                       "nvml_hang"    nvmlInit never returns      "cuda_hang"     cuInit never returns
                       "nvml_crash"   nvmlInit dies of SIGSEGV    "cuda_crash"    cuInit dies of SIGSEGV
                       "nvml_exit"    nvmlInit ends the process   "nvml_garbage"  writes on stdout, then works
                       several, separated by commas */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_LENGTH 96
#define MAX_GPUS 16

typedef struct {
    char name[NAME_LENGTH];
    int major, minor;
} fake_gpu;

static const char *fake_setting(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value != NULL ? value : otherwise;
}

static int fake_cuda_version(void) {
    int major = 0, minor = 0;
    sscanf(fake_setting("FAKE_NVIDIA_CUDA", "12.8"), "%d.%d", &major, &minor);
    return major * 1000 + minor * 10;
}

static int fake_gpus(fake_gpu gpus[MAX_GPUS]) {
    int count = 0;
    const char *rest = fake_setting("FAKE_NVIDIA_GPUS", "");
    while (*rest != '\0' && count < MAX_GPUS) {
        fake_gpu *gpu = &gpus[count];
        if (sscanf(rest, "%95[^|]|%d.%d", gpu->name, &gpu->major, &gpu->minor) != 3) break;
        count++;
        rest = strchr(rest, ';');
        if (rest == NULL) break;
        rest++;
    }
    return count;
}

/* The error code that initialising `library` ("nvml", "cuda") is to return; 0 = all is well. */
static int fake_init(const char *library) {
    char wanted[32];
    const char *fault = fake_setting("FAKE_NVIDIA_FAULT", "");
    const char *found;
    snprintf(wanted, sizeof wanted, "%s_hang", library);
    if (strstr(fault, wanted) != NULL) for (;;) pause();
    snprintf(wanted, sizeof wanted, "%s_crash", library);
    if (strstr(fault, wanted) != NULL) { signal(SIGSEGV, SIG_DFL); raise(SIGSEGV); }
    snprintf(wanted, sizeof wanted, "%s_exit", library);
    if (strstr(fault, wanted) != NULL) _exit(0);
    snprintf(wanted, sizeof wanted, "%s_garbage", library);
    if (strstr(fault, wanted) != NULL) { printf("hello from the driver "); fflush(stdout); }
    snprintf(wanted, sizeof wanted, "%s_init:", library);
    found = strstr(fault, wanted);
    return found != NULL ? atoi(found + strlen(wanted)) : 0;
}
