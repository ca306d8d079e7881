#include "format/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static const char *const subject_names[] = {
    [RS_GRAYSCALE] = "GRAYSCALE", [RS_RGB] = "RGB", [RS_PROB] = "PROB"};

void rs_image_kind(const struct rs_image *image, char name[static RS_KIND_SIZE])
{
    snprintf(name, RS_KIND_SIZE, "%s%s%s%s", subject_names[image->subject],
             image->has_vessel ? "_VESSEL" : "", image->has_fov ? "_FOV" : "",
             image->is_patch ? "_PATCH" : "");
}

/* Whether `*rest` begins with `part`, which is then taken off. */
static bool take(const char **rest, const char *part)
{
    size_t length = strlen(part);
    bool there = !strncmp(*rest, part, length);
    *rest += there ? length : 0;
    return there;
}

const char *rs_image_parse_kind(struct rs_image *image, const char *kind)
{
    struct rs_image found = {0};
    size_t length = strcspn(kind, "_");
    int subject = 0;
    while (subject < 3 &&
           (strlen(subject_names[subject]) != length || strncmp(kind, subject_names[subject], length)))
        subject++;
    const char *rest = kind + length;
    found.subject = subject < 3 ? (enum rs_subject)subject : RS_RGB;
    found.has_vessel = take(&rest, "_VESSEL");
    found.has_fov = take(&rest, "_FOV");
    found.is_patch = take(&rest, "_PATCH");
    if (subject == 3 || *rest)
        return rs_error("TUPLTYPE %s is not RGB, GRAYSCALE or PROB with _VESSEL, _FOV, _PATCH behind it",
                        kind);
    image->subject = found.subject;
    image->has_vessel = found.has_vessel;
    image->has_fov = found.has_fov;
    image->is_patch = found.is_patch;
    return NULL;
}

uint16_t *rs_image_at(const struct rs_image *image, int x, int y)
{
    return image->samples + ((size_t)y * (size_t)image->width + (size_t)x) * (size_t)rs_image_planes(image);
}

static size_t sample_count(const struct rs_image *image)
{
    return (size_t)image->width * (size_t)image->height * (size_t)rs_image_planes(image);
}

/* What the samples are is left open. */
static void reserve(struct rs_image *image)
{
    size_t count = sample_count(image);
    if (count > image->capacity) {
        free(image->samples);
        image->samples = rs_alloc(count, sizeof *image->samples);
        image->capacity = count;
    }
}

void rs_image_shape(struct rs_image *image, const struct rs_image *like, int width, int height, bool with_fov)
{
    image->subject = like->subject;
    image->has_vessel = like->has_vessel;
    image->has_fov = like->has_fov || with_fov;
    image->is_patch = like->is_patch;
    image->width = width;
    image->height = height;
    image->maxval = like->maxval;
    reserve(image);
    memset(image->samples, 0, sample_count(image) * sizeof *image->samples);
}

void rs_image_copy(struct rs_image *to, const struct rs_image *from, bool with_fov)
{
    rs_image_shape(to, from, from->width, from->height, with_fov);
    size_t planes = (size_t)rs_image_planes(from), step = (size_t)rs_image_planes(to);
    size_t pixels = (size_t)from->width * (size_t)from->height;
    for (size_t i = 0; i < pixels; i++) {
        memcpy(to->samples + i * step, from->samples + i * planes, planes * sizeof *to->samples);
        if (step > planes)
            to->samples[i * step + planes] = (uint16_t)from->maxval;
    }
}

/* In place, from the last pixel on: a photograph can be most of the memory that there is. */
void rs_image_add_fov(struct rs_image *image)
{
    size_t pixels = (size_t)image->width * (size_t)image->height, planes = (size_t)rs_image_planes(image);
    image->has_fov = true;
    if (sample_count(image) > image->capacity) {
        image->samples = rs_realloc(image->samples, sample_count(image), sizeof *image->samples);
        image->capacity = sample_count(image);
    }
    for (size_t i = pixels; i-- > 0;) {
        uint16_t *to = image->samples + i * (planes + 1);
        memmove(to, image->samples + i * planes, planes * sizeof *to);
        to[planes] = (uint16_t)image->maxval;
    }
}

void rs_image_free(struct rs_image *image)
{
    free(image->samples);
    *image = (struct rs_image){0};
}
