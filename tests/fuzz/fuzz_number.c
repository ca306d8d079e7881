/* Numbers and what is made of them on command lines: what is accepted, printed, is accepted again as the
 * same. */
#include "fuzz.h"

#include <inttypes.h>
#include <math.h>

#include "base/number.h"
#include "task/score.h"
#include "task/train.h"

static void check_int(const char *text)
{
    int64_t value, again, small;
    char printed[32];
    if (rs_parse_int(text, INT64_MIN, INT64_MAX, &value)) {
        must(rs_parse_int(text, -1000, 1000, &small));
        return;
    }
    snprintf(printed, sizeof printed, "%" PRId64, value);
    must(!rs_parse_int(printed, value, value, &again) && again == value);
    must(!rs_parse_int(text, -1000, 1000, &small) == (value >= -1000 && value <= 1000));
    must(strspn(text, "-0123456789") == strlen(text));
}

static void check_real(const char *text)
{
    double value, again;
    char printed[32];
    if (rs_parse_real(text, -1e300, 1e300, &value))
        return;
    rs_print_real(value, printed);
    must(!rs_parse_real(printed, -1e300, 1e300, &again));
    must(again == value && signbit(again) == signbit(value));
}

/* Into text: "1,2,3". */
static void print_list(char text[static 256], const int64_t *values, int count)
{
    int used = 0;
    for (int i = 0; i < count; i++)
        used += snprintf(text + used, 256 - (size_t)used, "%s%" PRId64, i ? "," : "", values[i]);
}

static void check_list(const char *text)
{
    enum { MOST = 6 };
    int64_t values[MOST], again[MOST];
    int count, count_again;
    char printed[256];
    if (rs_parse_list(text, -5, 1 << 30, MOST, values, &count))
        return;
    must(count >= 1 && count <= MOST);
    print_list(printed, values, count);
    must(!rs_parse_list(printed, -5, 1 << 30, MOST, again, &count_again) && count_again == count);
    must(!memcmp(values, again, (size_t)count * sizeof *values));
}

static void check_channels(const char *text)
{
    struct rs_train_options options, again;
    int64_t values[RS_MAX_LEVELS];
    char printed[256];
    if (rs_train_parse_channels(text, &options))
        return;
    must(options.levels >= 2 && options.levels <= RS_MAX_LEVELS);
    for (int l = 0; l < options.levels; l++) {
        must(options.channels[l] >= 1 && options.channels[l] <= RS_MAX_CHANNELS);
        values[l] = options.channels[l];
    }
    print_list(printed, values, options.levels);
    must(!rs_train_parse_channels(printed, &again) && again.levels == options.levels);
    must(!memcmp(again.channels, options.channels, (size_t)options.levels * sizeof *again.channels));
}

static void check_score(const char *text)
{
    struct rs_score_pixels pixels, again;
    struct rs_score_options options;
    char printed[64];
    if (!rs_score_parse_threshold(text, &options))
        must(options.best_dice || (options.threshold >= 0 && options.threshold <= 1));
    if (rs_score_parse_pixels(text, &pixels) || !pixels.crop)
        return;
    must(pixels.x >= 0 && pixels.y >= 0 && pixels.width > 0 && pixels.height > 0);
    snprintf(printed, sizeof printed, "crop:%d,%d,%d,%d", pixels.x, pixels.y, pixels.width, pixels.height);
    must(!rs_score_parse_pixels(printed, &again) && again.crop && again.x == pixels.x &&
         again.y == pixels.y && again.width == pixels.width && again.height == pixels.height);
}

/* A name with nothing but a number's width between its % and its d. */
static void check_pattern(const char *text)
{
    if (rs_train_check_pattern(text))
        return;
    const char *percent = strchr(text, '%');
    must(percent && percent == strrchr(text, '%'));
    size_t digits = strspn(percent + 1, "0123456789");
    must(percent[1 + digits] == 'd' && strtod(percent + 1, NULL) <= 18);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    check_int(text);
    check_real(text);
    check_list(text);
    check_channels(text);
    check_score(text);
    check_pattern(text);
    free(text);
    return 0;
}
