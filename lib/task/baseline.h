/* rs-baseline: vesselness by filters that were not trained. */
#ifndef RS_TASK_BASELINE_H
#define RS_TASK_BASELINE_H

#include "format/image.h"

enum rs_baseline_method { RS_BASELINE_MATCHED, RS_BASELINE_TOPHAT };

/* `map` becomes a PROB image of the photograph's size, maxval 65535, with its planes of truth and field of view, as
 * rs_infer_image writes them; outside the field of view, which is found where the photograph brings none, it is 0.
 * The field of view's diameter sets the sizes of all filters. The number of threads changes no bit. `map` starts as
 * {0}. An error if `photograph` is none. */
const char *rs_baseline_image(enum rs_baseline_method method, struct rs_image *map,
                              const struct rs_image *photograph);

#endif
