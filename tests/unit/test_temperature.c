/* Temperature scaling against scipy and scikit-learn (data/dump_temperature.py), and by hand. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/scores.h"
#include "measure/temperature.h"
#include "tap.h"

static double next(char **at)
{
    return strtod(*at, at);
}

/* Lines "level vessel background". */
static struct rs_histogram read_histogram(char **at, int levels, int used)
{
    struct rs_histogram h = rs_histogram_start(levels);
    for (int i = 0; i < used; i++) {
        int level = (int)next(at);
        h.vessel[level] = (uint64_t)next(at);
        h.background[level] = (uint64_t)next(at);
    }
    return h;
}

/* A sum of n losses, each rounded to some 1e-16 of itself, is right to 1e-13 of itself; so is the slope, whose zero is
 * T's, while its terms are not many times the curvature. */
static void compare_case(char **at)
{
    int levels = (int)next(at), used = (int)next(at);
    double temperature = next(at), loss = next(at), raw = next(at);
    struct rs_histogram h = read_histogram(at, levels, used);
    near(rs_best_temperature(&h), temperature, 1e-11 * temperature, "the temperature of %d levels", levels);
    near(rs_tempered_log_loss(&h, temperature), loss, 1e-12, "  its log loss");
    near(rs_tempered_log_loss(&h, 1), raw, 1e-12, "  and without it");
    near(rs_tempered_log_loss(&h, 1), rs_scores_of(&h, .5).log_loss, 1e-12, "  which is the table's");
    ok(rs_tempered_log_loss(&h, 1.001 * temperature) > loss &&
           rs_tempered_log_loss(&h, .999 * temperature) > loss,
       "  a little to either side there is more");
    rs_histogram_free(&h);
}

static void test_against_others(void)
{
    size_t bytes;
    char *text = test_data("temperature.txt", &bytes), *at = text;
    text[bytes] = 0;
    for (int i = 0; i < 6; i++)
        compare_case(&at);
    ok(!strcmp(at, "\n"), "the whole file is compared");
    free(text);
}

/* Of four levels, p = 1/8, 3/8, 5/8, 7/8. */
static double best4(const uint64_t vessel[4], const uint64_t background[4])
{
    struct rs_histogram h = rs_histogram_start(4);
    memcpy(h.vessel, vessel, 4 * sizeof *vessel);
    memcpy(h.background, background, 4 * sizeof *background);
    double best = rs_best_temperature(&h);
    rs_histogram_free(&h);
    return best;
}

static void test_by_hand(void)
{
    const uint64_t none[4] = {0}, low[4] = {5, 2}, high[4] = {0, 0, 1, 4};
    const uint64_t three[4] = {1, 0, 0, 3}, other[4] = {3, 0, 0, 1};
    near(best4(three, other), log(7) / log(3), 1e-11,
         "where p is 7/8, three of four are vessel: log 7 / log 3");
    const uint64_t seven[4] = {1, 0, 0, 7}, one[4] = {7, 0, 0, 1};
    near(best4(seven, one), 1, 1e-12, "seven of eight: 1");
    near(best4(high, low), RS_COLDEST, 0, "all of them right: as cold as may be");
    near(best4(low, high), RS_HOTTEST, 0, "all wrong: as hot as may be");
    ok(isnan(best4(none, low)) && isnan(best4(high, none)) && isnan(best4(none, none)),
       "both kinds are wanted");
    struct rs_histogram h = rs_histogram_start(3);
    ok(isnan(rs_tempered_log_loss(&h, 1)), "no pixel, no loss");
    h.vessel[1] = 2;
    h.background[1] = 5;
    near(rs_best_temperature(&h), 1, 0, "all p 1/2: 1");
    near(rs_tempered_log_loss(&h, 3), log(2), 1e-15, "  and log 2");
    rs_histogram_free(&h);
}

static void test_temper(void)
{
    near(rs_temper(.1, 1), .1, 0, "at 1, p itself");
    near(rs_temper(.8, 2), 2. / 3, 1e-15, "odds of 4 at 2: 2");
    near(rs_temper(.75, .5), .9, 1e-15, "odds of 3 at 1/2: 9");
    near(rs_temper(.5, 7), .5, 0, "1/2 stays");
    near(rs_temper(0, 2), 1 / (1 + sqrt(131071.)), 1e-12, "0 counts as half a level of 65536");
    near(rs_temper(1, 2), 1 - 1 / (1 + sqrt(131071.)), 1e-12, "  and 1 as half a level less than 1");
    near(rs_temper_threshold(.8, 2), 2. / 3, 1e-15, "a threshold is tempered likewise");
    near(rs_temper_threshold(.25, .01), 1 / 65536., 0, "  and stays one that a map can be below");
    near(rs_temper_threshold(.75, .01), 65535 / 65536., 1e-15, "  and above");
    near(rs_temper_threshold(0, 3), 0, 0, "  but for 0, which marks all");
}

int main(void)
{
    test_against_others();
    test_by_hand();
    test_temper();
    return done();
}
