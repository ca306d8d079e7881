/* Images in memory: photographs, truth and field of view as planes; rs-image(5).
 *
 * An image is a photograph (1 or 3 planes) or a map of vessel probability (1 plane), and behind it, where
 * known, a plane of true vessels and a plane of the field of view. TUPLTYPE names the planes: RGB, GRAYSCALE
 * or PROB, then _VESSEL, then _FOV; and it ends with _PATCH where the image was cut from a larger one. A PPM,
 * PGM or PBM is a photograph by itself. */
#ifndef RS_FORMAT_IMAGE_H
#define RS_FORMAT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No image has more pixels than RS_MAX_PIXELS: with five planes of them, samples still count in 31 bits.
 * RS_USUAL_PIXELS (1 GiB at six bytes each) are what a reader takes that was told nothing else. */
enum { RS_MAX_PIXELS = 429496729, RS_USUAL_PIXELS = 178956970 };

/* The most planes an image can have, and the room that their name takes. A new plane goes between the subject's
 * and the field of view, which is last; picture/warp.h (how it is turned), picture/sample.h (how it gets into
 * tensors) and task/infer.h (how it is passed on) count on the order. */
enum { RS_MAX_PLANES = 5, RS_KIND_SIZE = 32 };

/* What the first planes are. */
enum rs_subject { RS_GRAYSCALE, RS_RGB, RS_PROB };

struct rs_image {
    enum rs_subject subject;
    bool has_vessel, has_fov;
    bool is_patch;             /* cut from a larger image; its planes are the same */
    int width, height, maxval; /* maxval in 1..65535 */
    uint16_t *samples;         /* [height][width][planes], each <= maxval; owned */
    size_t capacity;           /* samples allocated */
};

/* Of RGB 3, else 1. This and the next four stand here because they are asked for every pixel. */
static inline int rs_image_subject_planes(enum rs_subject subject)
{
    return subject == RS_RGB ? 3 : 1;
}

/* All of them. */
static inline int rs_image_planes(const struct rs_image *image)
{
    return rs_image_subject_planes(image->subject) + image->has_vessel + image->has_fov;
}

/* The index of the truth, or -1. */
static inline int rs_image_vessel_plane(const struct rs_image *image)
{
    return image->has_vessel ? rs_image_subject_planes(image->subject) : -1;
}

/* The index of the field of view, or -1. */
static inline int rs_image_fov_plane(const struct rs_image *image)
{
    return image->has_fov ? rs_image_planes(image) - 1 : -1;
}

/* Whether a truth or field-of-view sample says yes: v > maxval / 2. */
static inline bool rs_image_yes(const struct rs_image *image, int sample)
{
    return 2 * sample > image->maxval;
}

/* "RGB_VESSEL_FOV_PATCH" and the like, into `name`. */
void rs_image_kind(const struct rs_image *image, char name[static RS_KIND_SIZE]);

/* The planes that such a name tells, into image->subject, has_vessel, has_fov and is_patch; an error if it tells none.
 */
const char *rs_image_parse_kind(struct rs_image *image, const char *kind);

/* The samples of the pixel in column x of row y: [planes]. */
uint16_t *rs_image_at(const struct rs_image *image, int x, int y);

/* Makes `image` `width` x `height` with the planes, mark and maxval of `like` and every sample 0, reusing what it
 * owns. `with_fov` adds a field-of-view plane where `like` has none. `image` starts as {0}; `like` may not be
 * `image`. */
void rs_image_shape(struct rs_image *image, const struct rs_image *like, int width, int height,
                    bool with_fov);

/* `to` becomes a copy of `from`; a field-of-view plane that is added says yes everywhere. */
void rs_image_copy(struct rs_image *to, const struct rs_image *from, bool with_fov);

/* Adds a field-of-view plane, which says yes everywhere, to an image that has none. */
void rs_image_add_fov(struct rs_image *image);

void rs_image_free(struct rs_image *image);

#endif
