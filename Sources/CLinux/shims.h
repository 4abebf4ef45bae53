#ifndef MANDATE_CLINUX_SHIMS_H
#define MANDATE_CLINUX_SHIMS_H
// What the toolchain's own module for libc leaves out.
#include <sys/prctl.h>

// prctl takes a variable number of arguments, which Swift cannot call.
static inline int mandate_set_dumpable(int dumpable) {
  return prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0);
}

static inline int mandate_get_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }

#endif
