#include "picture/otsu.h"

int rs_otsu(const int *histogram, int levels)
{
    double count = 0, sum = 0, below = 0, sum_below = 0, best = 0;
    int split = levels;
    for (int i = 0; i < levels; i++) {
        count += histogram[i];
        sum += (double)i * histogram[i];
    }
    for (int i = 0; i + 1 < levels; i++) {
        below += histogram[i];
        sum_below += (double)i * histogram[i];
        double apart = sum_below * (count - below) - (sum - sum_below) * below;
        double between = apart * apart / (below * (count - below));
        if (between > best) { /* false where a class is empty: 0 / 0 */
            best = between;
            split = i + 1;
        }
    }
    return split;
}
