/* Feeds files to a fuzz target, without libFuzzer: those that are named, or else the target's corpus and what
 * has been found, as TAP. A target that fails ends the process: the file it fails on is the one after the last
 * that is "ok". */
#include <glob.h>

#include "fuzz.h"

static void replay(const char *path, int number)
{
    FILE *file = fopen(path, "rb");
    must(file && !fseek(file, 0, SEEK_END));
    size_t size = (size_t)ftell(file);
    uint8_t *data = malloc(size ? size : 1);
    rewind(file);
    must(data && fread(data, 1, size, file) == size);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    printf("ok %d - %s\n", number, path);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '_') + 1;
    char corpus[256], found[256];
    glob_t files = {0};
    snprintf(corpus, sizeof corpus, "tests/fuzz/corpus/%s/*", name);
    snprintf(found, sizeof found, "tests/fuzz/found/%s-*", name);
    if (argc == 1) {
        glob(corpus, 0, NULL, &files);
        glob(found, GLOB_APPEND, NULL, &files);
        argc = (int)files.gl_pathc + 1;
        argv = files.gl_pathv - 1;
    }
    printf("1..%d\n", argc - 1);
    for (int i = 1; i < argc; i++)
        replay(argv[i], i);
    globfree(&files);
    return argc == 1;
}
