#include "task/fit.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/thread.h"
#include "blas/gemm.h"
#include "picture/patch.h"
#include "picture/statistics.h"
#include "task/whiten.h"

static const char *start(struct rs_fit *fit, const struct rs_prep *prep, bool progress)
{
    struct rs_whitening form = rs_prep_form(prep);
    const char *error = rs_whitening_check(&form);
    if (!error)
        error = rs_gemm_start(rs_threads());
    if (error)
        return error;
    rs_covariance_start(&fit->covariance, rs_whitening_size(&form));
    fit->progress = rs_progress_start("vectors", 0, progress);
    return NULL;
}

/* The numbers of a window as a vector. */
static void add_vector(struct rs_fit *fit, const struct rs_prep *prep, const struct rs_image *window)
{
    static const struct rs_prep_constants as_they_are = {{0, 0, 0}, {1, 1, 1}};
    struct rs_prep plain = *prep;
    plain.mode = RS_PREP_NONE;
    rs_prep_apply(&plain, &as_they_are, window, rs_covariance_next(&fit->covariance));
    rs_covariance_add(&fit->covariance);
}

static bool all_inside(const struct rs_image *window)
{
    int fov = rs_image_fov_plane(window), planes = rs_image_planes(window);
    size_t pixels = (size_t)window->width * (size_t)window->height;
    for (size_t i = 0; i < pixels; i++)
        if (!rs_image_yes(window, window->samples[i * (size_t)planes + (size_t)fov]))
            return false;
    return true;
}

static void add_windows(struct rs_fit *fit, const struct rs_prep *prep, const struct rs_image *image)
{
    int size = prep->window, step = (size + 1) / 2;
    for (int y = 0; y + size <= image->height; y += step)
        for (int x = 0; x + size <= image->width; x += step) {
            rs_patch_cut(&fit->window, image, x, y, size, size, false);
            if (!prep->fov_only || all_inside(&fit->window))
                add_vector(fit, prep, &fit->window);
        }
}

const char *rs_fit_add(struct rs_fit *fit, const struct rs_prep *prep, const struct rs_image *image,
                       bool progress)
{
    if (prep->mode == RS_PREP_DATASET) {
        rs_prep_sums_add(&fit->sums, prep, image);
        return NULL;
    }
    const char *error = fit->covariance.size ? NULL : start(fit, prep, progress);
    if (error)
        return error;
    if (prep->mode == RS_PREP_ZCA)
        add_vector(fit, prep, image);
    else
        add_windows(fit, prep, image);
    rs_progress_show(&fit->progress, (uint64_t)(fit->covariance.count + fit->covariance.filled), "");
    return NULL;
}

static const char *whiten(struct rs_fit *fit, struct rs_prep *prep)
{
    prep->whitening = rs_alloc(1, sizeof *prep->whitening);
    *prep->whitening = rs_prep_form(prep);
    return rs_whitening_fit(prep->whitening, &fit->covariance, prep->epsilon, fit->progress.shown);
}

const char *rs_fit_save(struct rs_fit *fit, struct rs_prep *prep, const char *path)
{
    const char *error =
        prep->mode == RS_PREP_DATASET ? rs_prep_sums_end(&fit->sums, prep) : whiten(fit, prep);
    rs_progress_clear();
    return error ? error : rs_statistics_save(prep, fit->covariance.count, path);
}

void rs_fit_free(struct rs_fit *fit)
{
    rs_covariance_free(&fit->covariance);
    rs_image_free(&fit->window);
    *fit = (struct rs_fit){0};
}
