#include "picture/otsu.h"

int rs_otsu(const uint64_t *histogram, int levels)
{
    double count = 0, sum = 0, below = 0, sum_below = 0, best = 0;
    int split = levels;
    for (int i = 0; i < levels; i++) {
        count += (double)histogram[i];
        sum += (double)i * (double)histogram[i];
    }
    for (int i = 0; i + 1 < levels; i++) {
        below += (double)histogram[i];
        sum_below += (double)i * (double)histogram[i];
        double apart = sum_below * (count - below) - (sum - sum_below) * below;
        double between = apart * apart / (below * (count - below));
        if (between > best) { /* false where a class is empty: 0 / 0 */
            best = between;
            split = i + 1;
        }
    }
    return split;
}
