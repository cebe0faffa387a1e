#include "blobs/storage_faults.h"

hub_storage_fault_kind hub_storage_faults_next(hub_storage_faults *f, hub_storage_operation o)
{
    if ((f->on & (unsigned)o) == 0 || f->count == 0) {
        return HUB_STORAGE_FAULT_NONE;
    }
    if (f->skip > 0) {
        f->skip--;
        return HUB_STORAGE_FAULT_NONE;
    }
    f->count--;
    return f->kind;
}
