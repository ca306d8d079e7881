#include "picture/statistics.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/outfile.h"
#include "picture/prep_meta.h"

static const char not_statistics[] = "not a file of statistics made by rs-norm -fit";

void rs_whitening_describe(const struct rs_whitening *whitening, struct rs_record *record)
{
    struct rs_whitening_array list[RS_WHITENING_ARRAYS];
    int count = rs_whitening_list(whitening, list);
    for (int i = 0; i < count; i++)
        rs_record_add(record, list[i].name, RS_F32, list[i].rank, list[i].shape);
}

const char *rs_whitening_write(const struct rs_whitening *whitening, FILE *file)
{
    struct rs_whitening_array list[RS_WHITENING_ARRAYS];
    int count = rs_whitening_list(whitening, list);
    errno = 0;
    for (int i = 0; i < count; i++)
        if (fwrite(list[i].values, sizeof(float), list[i].count, file) < list[i].count)
            return rs_error_write(errno);
    return NULL;
}

bool rs_whitening_has(const struct rs_whitening *whitening, const struct rs_array *array)
{
    return whitening && !strncmp(array->name, "whitening.", 10);
}

const char *rs_whitening_read(struct rs_whitening *whitening, FILE *file, const struct rs_array *array)
{
    struct rs_whitening_array list[RS_WHITENING_ARRAYS];
    int i = rs_whitening_list(whitening, list) - 1;
    while (i > 0 && strcmp(list[i].name, array->name) != 0)
        i--;
    return fread(list[i].values, sizeof(float), list[i].count, file) == list[i].count
               ? NULL
               : rs_error("ends in the middle of array '%s'", array->name);
}

const char *rs_statistics_save(const struct rs_prep *prep, int64_t vectors, const char *path)
{
    struct rs_outfile out;
    const char *error = rs_outfile_open(&out, path);
    if (error)
        return error;
    struct rs_record record = {0};
    struct rs_prep nameless = *prep; /* no file tells its own SHA-256 */
    *nameless.statistics = 0;
    rs_meta_set(&record.meta, "kind", "rs-statistics");
    rs_prep_to_meta(&nameless, &record.meta);
    if (prep->whitening) {
        rs_meta_set(&record.meta, "vectors", "%jd", (intmax_t)vectors);
        rs_whitening_describe(prep->whitening, &record);
    }
    error = rs_record_write(out.file, &record);
    if (!error && prep->whitening)
        error = rs_whitening_write(prep->whitening, out.file);
    rs_record_free(&record);
    if (!error)
        return rs_outfile_commit(&out);
    rs_outfile_abort(&out);
    return error;
}

/* The arrays must be those of the metadata before memory is taken for them. */
static const char *read_whitening(struct rs_prep *prep, FILE *file, const struct rs_record *record)
{
    struct rs_record wanted = {0};
    struct rs_whitening shape = rs_prep_form(prep);
    rs_whitening_describe(&shape, &wanted);
    const char *error = rs_record_match(record, &wanted, "this whitening");
    rs_record_free(&wanted);
    if (error)
        return error;
    rs_prep_reserve(prep);
    for (int i = 0; i < record->count && !error; i++)
        error = rs_whitening_read(prep->whitening, file, &record->arrays[i]);
    return error ? error : rs_whitening_finish(prep->whitening);
}

static const char *read(struct rs_prep *prep, FILE *file, struct rs_record *record)
{
    bool more;
    const char *error = rs_record_read(file, record, &more);
    if (error)
        return error;
    const char *kind = more ? rs_meta_get(&record->meta, "kind") : NULL;
    if (!kind || strcmp(kind, "rs-statistics") != 0)
        return rs_error("%s", not_statistics);
    error = rs_prep_from_meta(prep, &record->meta);
    if (!error && rs_prep_whitens(prep))
        error = read_whitening(prep, file, record);
    else if (!error && (record->count || !rs_prep_learns(prep)))
        error = rs_error("%s", not_statistics);
    return error || getc(file) == EOF ? error : rs_error("%s", not_statistics);
}

/* The file's, from its beginning. */
static const char *name_by_content(struct rs_prep *prep, FILE *file)
{
    unsigned char chunk[1 << 16];
    struct rs_sha256 sha = rs_sha256_start();
    if (fseek(file, 0, SEEK_SET))
        return rs_error("a file that is read twice, to know it by its SHA-256: %s", strerror(errno));
    for (size_t got; (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
        rs_sha256_add(&sha, chunk, got);
    if (ferror(file))
        return rs_error("cannot read: %s", strerror(errno));
    rs_sha256_end(&sha, prep->statistics);
    return NULL;
}

const char *rs_statistics_load(struct rs_prep *prep, const char *path)
{
    struct rs_prep loaded = {0};
    FILE *file = fopen(path, "rb");
    if (!file)
        return rs_error("%s", strerror(errno));
    struct rs_record record = {0};
    const char *error = read(&loaded, file, &record);
    if (!error && rs_prep_whitens(&loaded))
        error = name_by_content(&loaded, file);
    rs_record_free(&record);
    fclose(file);
    if (error)
        rs_prep_free(&loaded);
    else
        *prep = loaded;
    return error;
}
