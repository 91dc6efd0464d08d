/* libcuda.so.1 for tests. Signatures: https://docs.nvidia.com/cuda/cuda-driver-api/ */

#include "state.h"

enum { SUCCESS = 0, INVALID_VALUE = 1, NOT_INITIALIZED = 3, NO_DEVICE = 100 };
enum { CAPABILITY_MAJOR = 75, CAPABILITY_MINOR = 76 };

static int initialised = 0;
static fake_gpu gpus[MAX_GPUS];

int cuInit(unsigned int flags) {
    int error = fake_init("cuda");
    (void)flags;
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");
    if (error == 0 && fake_gpus(gpus) == 0) error = NO_DEVICE;
    if (error == 0 && visible != NULL && *visible == '\0') error = NO_DEVICE;
    initialised = error == 0;
    return error;
}

int cuDriverGetVersion(int *version) {
    *version = fake_cuda_version();
    return SUCCESS;
}

int cuDeviceGetCount(int *count) {
    if (!initialised) return NOT_INITIALIZED;
    *count = fake_gpus(gpus);
    return SUCCESS;
}

int cuDeviceGet(int *device, int ordinal) {
    if (!initialised) return NOT_INITIALIZED;
    if (ordinal < 0 || ordinal >= fake_gpus(gpus)) return INVALID_VALUE;
    *device = ordinal;
    return SUCCESS;
}

int cuDeviceGetName(char *name, int length, int device) {
    snprintf(name, (size_t)length, "%s", gpus[device].name);
    return SUCCESS;
}

int cuDeviceGetUuid(unsigned char uuid[16], int device) {
    memset(uuid, 0, 16);
    uuid[15] = (unsigned char)device;
    return SUCCESS;
}

int cuDeviceTotalMem_v2(size_t *bytes, int device) {
    (void)device;
    *bytes = (size_t)80 << 30;
    return SUCCESS;
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
    if (attribute != CAPABILITY_MAJOR && attribute != CAPABILITY_MINOR) return INVALID_VALUE;
    *value = attribute == CAPABILITY_MAJOR ? gpus[device].major : gpus[device].minor;
    return SUCCESS;
}
