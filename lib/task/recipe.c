#include "task/recipe.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"

const char *rs_train_parse_channels(const char *text, struct rs_train_options *options)
{
    int64_t list[RS_MAX_LEVELS];
    const char *error = rs_parse_list(text, 1, RS_MAX_CHANNELS, RS_MAX_LEVELS, list, &options->levels);
    for (int l = 0; !error && l < options->levels; l++)
        options->channels[l] = (int)list[l];
    if (!error && options->levels < 2)
        error = rs_error("'%s' is one level; a U-Net has 2 to %d", text, RS_MAX_LEVELS);
    return error;
}

const char *rs_train_check_about(const char *text)
{
    if (strlen(text) >= RS_ABOUT_SIZE)
        return rs_error("%zu bytes, of %d at most", strlen(text), RS_ABOUT_SIZE - 1);
    return rs_meta_check(text);
}

/* The parts of "name-%06d.safetensors": what stands before the number, its width, what stands behind. */
static bool split_pattern(const char *pattern, int *before, int *width, const char **behind)
{
    const char *percent = strchr(pattern, '%');
    size_t digits = percent ? strspn(percent + 1, "0123456789") : 0;
    if (!percent || strchr(percent + 1, '%') || digits > 9 || percent[1 + digits] != 'd')
        return false;
    *before = (int)(percent - pattern);
    *width = atoi(percent + 1);
    *behind = percent + 2 + digits;
    return *width <= 18;
}

const char *rs_train_check_pattern(const char *pattern)
{
    int before, width;
    const char *behind;
    if (strlen(pattern) > 4000 || !split_pattern(pattern, &before, &width, &behind))
        return rs_error("'%s' is not a name with one %%d or %%06d in it", pattern);
    return NULL;
}

void rs_train_name(const char *pattern, int64_t step, char *name, size_t size)
{
    int before = 0, width = 0;
    const char *behind = "";
    split_pattern(pattern, &before, &width, &behind);
    snprintf(name, size, "%.*s%0*jd%s", before, pattern, width, (intmax_t)step, behind);
}

static void say(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void say(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, size - used, format, args);
    va_end(args);
}

static void say_real(char *text, size_t size, const char *option, double value)
{
    char number[32];
    rs_print_real(value, number);
    say(text, size, " -%s=%s", option, number);
}

void rs_train_describe(const struct rs_train_options *o, char *text, size_t size)
{
    static const char *const schedules[] = {[RS_CONSTANT] = "constant", [RS_COSINE] = "cosine"};
    *text = '\0';
    if (o->epochs)
        say(text, size, "-epochs=%jd", (intmax_t)o->epochs);
    else
        say(text, size, "-steps=%jd -shuffle=%jd -validate-every=%jd", (intmax_t)o->steps,
            (intmax_t)o->shuffle, (intmax_t)o->validate_every);
    say(text, size, " -batch=%jd", (intmax_t)o->batch);
    say_real(text, size, "lr", o->lr);
    say(text, size, " -schedule=%s", schedules[o->schedule]);
    if (o->warmup > 0)
        say_real(text, size, "warmup", o->warmup);
    say_real(text, size, "beta1", o->beta1);
    say_real(text, size, "beta2", o->beta2);
    say_real(text, size, "eps", o->epsilon);
    if (o->average > 0)
        say_real(text, size, "average", o->average);
    say(text, size, " -pixels=%s", o->fov_only ? "fov" : "image");
    say_real(text, size, "dropout", o->dropout);
    say(text, size, " -seed=%jd", (intmax_t)o->seed);
}
