/* A training put away so that it can go on as if it had never stopped. */
#ifndef RS_TASK_CHECKPOINT_H
#define RS_TASK_CHECKPOINT_H

#include "network/adam.h"
#include "network/average.h"
#include "network/model.h"
#include "task/course.h"

struct rs_checkpoint {
    struct rs_model *model; /* weights and running statistics; its options must be those of the file */
    struct rs_adam *adam;   /* moments and step */
    struct rs_average *average;
    struct rs_course *course;
};

/* Replaces `path` whole, synced to the disk, and keeps the one before it as PATH.previous. */
const char *rs_checkpoint_save(const struct rs_checkpoint *checkpoint, const char *path);

/* Reads `path` into what the members point to, which must have been set up for the same training. What a model says
 * that does not shape its weights (diameter, about, a threshold that it has already and its temperature) is not
 * taken from the file, and may differ from it. `*found` is
 * false, and nothing read, where there is no such file. An error where it is damaged, which names the one
 * before it if that exists, or of another training. */
const char *rs_checkpoint_load(const struct rs_checkpoint *checkpoint, const char *path, bool *found);

#endif
