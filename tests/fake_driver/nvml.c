/* libnvidia-ml.so.1 for tests. Signatures: https://docs.nvidia.com/deploy/nvml-api/ */

#include "state.h"

enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, INSUFFICIENT_SIZE = 7 };

typedef struct { unsigned long long total, free, used; } memory_info;
typedef struct { unsigned int pid; unsigned long long used; unsigned int gpu, compute; } process_info;

#define MAX_HOLDERS 8

static int initialised = 0;
static fake_gpu gpus[MAX_GPUS];

int nvmlInitWithFlags(unsigned int flags) {
    int error = fake_init("nvml");
    (void)flags;
    initialised = error == 0;
    return error;
}

int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlInit(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) { initialised = 0; return SUCCESS; }

const char *nvmlErrorString(int error) {
    switch (error) {
        case 9: return "Driver Not Loaded";
        case 18: return "Driver/library version mismatch";
        default: return "Unknown Error";
    }
}

int nvmlSystemGetDriverVersion(char *version, unsigned int length) {
    if (!initialised) return UNINITIALIZED;
    snprintf(version, length, "%s", fake_setting("FAKE_NVIDIA_DRIVER", "570.124.06"));
    return SUCCESS;
}

int nvmlSystemGetCudaDriverVersion_v2(int *version) {
    if (fake_init("nvml") != 0) return UNINITIALIZED;
    *version = fake_cuda_version();
    return SUCCESS;
}

int nvmlSystemGetCudaDriverVersion(int *version) {
    return nvmlSystemGetCudaDriverVersion_v2(version);
}

int nvmlDeviceGetCount_v2(unsigned int *count) {
    if (!initialised) return UNINITIALIZED;
    *count = (unsigned int)fake_gpus(gpus);
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **handle) {
    if (!initialised) return UNINITIALIZED;
    if ((int)index >= fake_gpus(gpus)) return INVALID_ARGUMENT;
    *handle = &gpus[index];
    return SUCCESS;
}

int nvmlDeviceGetName(void *handle, char *name, unsigned int length) {
    snprintf(name, length, "%s", ((fake_gpu *)handle)->name);
    return SUCCESS;
}

int nvmlDeviceGetUUID(void *handle, char *uuid, unsigned int length) {
    snprintf(uuid, length, "GPU-00000000-0000-0000-0000-%012d", (int)((fake_gpu *)handle - gpus));
    return SUCCESS;
}

int nvmlDeviceGetCudaComputeCapability(void *handle, int *major, int *minor) {
    *major = ((fake_gpu *)handle)->major;
    *minor = ((fake_gpu *)handle)->minor;
    return SUCCESS;
}

/* The processes on a GPU; those of FAKE_NVIDIA_HOLDERS are on the first one. */
static unsigned int holders(void *handle, process_info *found) {
    const char *rest = fake_setting("FAKE_NVIDIA_HOLDERS", "");
    unsigned int count = 0;
    if ((fake_gpu *)handle != gpus) return 0;
    while (count < MAX_HOLDERS) {
        process_info one = {0, 0, 0, 0};
        if (sscanf(rest, "%u:%llu", &one.pid, &one.used) != 2) break;
        found[count++] = one;
        rest = strchr(rest, ';');
        if (rest == NULL) break;
        rest++;
    }
    return count;
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned int *count, process_info *all) {
    process_info found[MAX_HOLDERS];
    unsigned int number = holders(handle, found);
    unsigned int room = *count;
    *count = number;
    if (number > room) return INSUFFICIENT_SIZE;
    memcpy(all, found, number * sizeof found[0]);
    return SUCCESS;
}

int nvmlDeviceGetMemoryInfo(void *handle, memory_info *memory) {
    process_info found[MAX_HOLDERS];
    unsigned int number = holders(handle, found);
    memory->total = 80ULL << 30;
    memory->used = 0;
    while (number > 0) memory->used += found[--number].used;
    memory->free = memory->total - memory->used;
    return SUCCESS;
}

int nvmlDeviceGetMigMode(void *handle, unsigned int *current, unsigned int *pending) {
    if (((fake_gpu *)handle)->major < 8) return NOT_SUPPORTED;
    *current = *pending = 0;
    return SUCCESS;
}
