#include "task/view.h"

#include <stdlib.h>

#include "base/memory.h"
#include "picture/patch.h"

void rs_view_start(struct rs_view *view, const struct rs_prep *prep, const struct rs_image *photograph)
{
    *view = (struct rs_view){.prep = prep, .photograph = photograph, .windows = rs_prep_is_by_patch(prep)};
    if (!view->windows)
        view->constants = rs_prep_constants(prep, photograph);
}

struct rs_rectangle rs_view_flip(struct rs_rectangle part, int width, int height, struct rs_flip flip)
{
    if (flip.across)
        part.x = width - part.x - part.width;
    if (flip.down)
        part.y = height - part.y - part.height;
    return part;
}

void rs_view_scratch_free(struct rs_view_scratch *scratch)
{
    rs_image_free(&scratch->cut);
    free(scratch->numbers);
    *scratch = (struct rs_view_scratch){0};
}

/* Outside a photograph that was normalised as a whole all is 0, as it is in the tensors that rs-patch cuts. */
static void clear_outside(float *x, struct rs_rectangle part, int channels, int columns, int rows)
{
    int first = columns > 0 ? columns : 0;
    for (int row = 0; row < channels * part.height; row++, x += part.width)
        for (int column = row % part.height < rows ? first : 0; column < part.width; column++)
            x[column] = 0;
}

static void cut(const struct rs_view *view, struct rs_view_scratch *scratch, struct rs_rectangle part,
                float *x)
{
    const struct rs_prep *prep = view->prep;
    int reach = rs_prep_reach(prep);
    rs_patch_cut(&scratch->cut, view->photograph, part.x - reach, part.y - reach, part.width + 2 * reach,
                 part.height + 2 * reach, true);
    struct rs_prep_constants constants =
        view->windows ? rs_prep_constants(prep, &scratch->cut) : view->constants;
    rs_prep_apply(prep, &constants, &scratch->cut, x);
    if (rs_prep_is_whole(prep))
        clear_outside(x, part, rs_prep_channels(prep), view->photograph->width - part.x,
                      view->photograph->height - part.y);
}

const float *rs_view_cut(const struct rs_view *view, struct rs_view_scratch *scratch,
                         const struct rs_rectangle *parts, int count)
{
    size_t each = (size_t)rs_prep_channels(view->prep) * (size_t)parts->width * (size_t)parts->height;
    size_t wanted = (size_t)count * each;
    if (wanted > scratch->room) {
        scratch->numbers = rs_realloc(scratch->numbers, wanted, sizeof *scratch->numbers);
        scratch->room = wanted;
    }
    for (int n = 0; n < count; n++)
        cut(view, scratch, parts[n], scratch->numbers + (size_t)n * each);
    rs_prep_finish(view->prep, scratch->numbers, count);
    return scratch->numbers;
}

/* [channels][height][width] into an image. */
static const float *put(const float *from, struct rs_flip flip, struct rs_map *x, int n)
{
    ptrdiff_t step = flip.across ? -x->pixel : x->pixel;
    for (int c = 0; c < x->c; c++)
        for (int i = 0; i < x->h; i++) {
            float *to = rs_map_at(x, n, flip.down ? x->h - 1 - i : i, flip.across ? x->w - 1 : 0) + c;
            for (int j = 0; j < x->w; j++, to += step)
                *to = *from++;
        }
    return from;
}

void rs_view_put(const struct rs_view *view, struct rs_view_scratch *scratch,
                 const struct rs_rectangle *parts, struct rs_flip flip, struct rs_map *x)
{
    const float *from = rs_view_cut(view, scratch, parts, x->n);
    for (int n = 0; n < x->n; n++)
        from = put(from, flip, x, n);
}
