/* A safetensors record: from memory and from a stream the same; written and read again the same; and as a
 * tensor, a normalisation and a training's course what these allow. */
#include "fuzz.h"

#include "format/tensor.h"
#include "picture/prep_meta.h"
#include "task/course.h"

static bool same_record(const struct rs_record *a, const struct rs_record *b)
{
    bool same = a->count == b->count && a->bytes == b->bytes && !rs_meta_differ(&a->meta, &b->meta);
    for (int i = 0; same && i < a->count; i++) {
        const struct rs_array *p = &a->arrays[i], *q = &b->arrays[i];
        same = !strcmp(p->name, q->name) && p->dtype == q->dtype && p->rank == q->rank &&
               p->offset == q->offset && p->bytes == q->bytes &&
               !memcmp(p->shape, q->shape, (size_t)p->rank * sizeof *p->shape);
    }
    return same;
}

static void round_trip(const struct rs_record *record)
{
    char *bytes;
    size_t size;
    struct rs_record back = {0};
    bool more;
    FILE *stream = open_memstream(&bytes, &size);
    must(!rs_record_write(stream, record));
    fclose(stream);
    stream = fuzz_stream((uint8_t *)bytes, size);
    must(!rs_record_read(stream, &back, &more) && more && same_record(record, &back));
    must(ftell(stream) == (long)size && size % 8 == 0);
    rs_record_free(&back);
    fclose(stream);
    free(bytes);
}

static void check_layout(const struct rs_record *record)
{
    size_t at = 0;
    for (int i = 0; i < record->count; i++) {
        must(record->arrays[i].offset == at);
        at += record->arrays[i].bytes;
    }
    must(at == record->bytes);
}

static void check_tensor(const struct rs_record *record)
{
    struct rs_tensor shape;
    if (rs_tensor_describe(record, &shape))
        return;
    size_t pixels = (size_t)shape.samples * (size_t)shape.height * (size_t)shape.width;
    must(pixels * ((size_t)shape.channels * sizeof(float) + shape.has_vessel + shape.has_fov) ==
         record->bytes);
}

static void check_meta(const struct rs_meta *meta)
{
    struct rs_prep prep;
    struct rs_course course;
    struct rs_meta once = {0}, twice = {0};
    if (!rs_prep_from_meta(&prep, meta)) {
        rs_prep_to_meta(&prep, &once);
        must(!rs_prep_from_meta(&prep, &once));
        rs_prep_to_meta(&prep, &twice);
    }
    if (!rs_course_from_meta(&course, meta)) {
        rs_course_to_meta(&course, &once);
        must(!rs_course_from_meta(&course, &once));
        rs_course_to_meta(&course, &twice);
    }
    must(!rs_meta_differ(&once, &twice));
    rs_meta_free(&once);
    rs_meta_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rs_record parsed = {0}, read = {0};
    size_t header;
    bool more;
    FILE *stream = fuzz_stream(data, size);
    const char *error = rs_record_parse(&parsed, data, size, &header);
    const char *read_error = rs_record_read(stream, &read, &more);
    if (!read_error && more) {
        bool whole = read.bytes <= size - (size_t)ftell(stream);
        must(whole ? !error && header == (size_t)ftell(stream) && same_record(&parsed, &read)
                   : error && !strcmp(error, "ends in the middle of its data"));
        check_layout(&read);
        round_trip(&read);
        check_tensor(&read);
        check_meta(&read.meta);
    } else if (more) {
        must(error && !strcmp(error, read_error) && !read.arrays && !read.meta.pairs);
    } else {
        must(size == 0);
    }
    must(!error || (!parsed.arrays && !parsed.meta.pairs));
    rs_record_free(&parsed);
    rs_record_free(&read);
    fclose(stream);
    return 0;
}
