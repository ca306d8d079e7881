#include "cli/shipped.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The folder of the executable, or false. */
static bool find_folder(char folder[static PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);
    if (length <= 0)
        return false;
    folder[length] = 0;
    char *last = strrchr(folder, '/');
    if (last)
        *last = 0;
    return last;
}

const char *rs_shipped_model(void)
{
    enum { PLACES = 2 };
    static const char *const places[PLACES] = {"../share/rs/rs.safetensors",
                                               "../../lib/model/rs.safetensors"};
    static char paths[PLACES][PATH_MAX + 64];
    static bool asked, found;
    static int here;
    char folder[PATH_MAX];
    if (!asked) {
        found = find_folder(folder);
        for (int i = 0; found && i < PLACES; i++)
            snprintf(paths[i], sizeof paths[i], "%s/%s", folder, places[i]);
        here = found && access(paths[0], F_OK) && !access(paths[1], F_OK);
    }
    asked = true;
    return paths[here];
}
