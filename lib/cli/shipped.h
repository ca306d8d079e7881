/* The model that came with the program: ../share/rs/rs.safetensors, seen from the folder of the executable that runs,
 * as `make install` lays it out; or, where it runs in the folder it was built in, ../../lib/model/rs.safetensors. */
#ifndef RS_CLI_SHIPPED_H
#define RS_CLI_SHIPPED_H

/* The first of the two that is there, else the first; "" if it cannot be told where the executable is. Asked the first
 * time, when /proc can still be looked at (base/sandbox.h). */
const char *rs_shipped_model(void);

#endif
