/* Tensors end to end: from a file that is mapped, from a stream kept in memory and from one read sample by
 * sample come the same samples; rs-info can tell of them. */
#include "fuzz.h"

#include "task/dataset.h"
#include "task/info.h"
#include "task/stream.h"

enum { MEMORY = 1 << 20 };

static const char *add(struct rs_dataset *data, FILE *stream)
{
    const char *error = rs_dataset_add(data, stream, MEMORY);
    fclose(stream);
    return error;
}

static bool same(const unsigned char *a, const unsigned char *b, size_t bytes)
{
    return a && b ? !memcmp(a, b, bytes) : a == b;
}

static bool same_sample(const struct rs_tensor *shape, const struct rs_dataset_sample *a,
                        const struct rs_dataset_sample *b)
{
    size_t pixels = (size_t)shape->height * (size_t)shape->width;
    return same(a->image, b->image, pixels * (size_t)shape->channels * sizeof(float)) &&
           same(a->vessel, b->vessel, pixels) && same(a->fov, b->fov, pixels);
}

/* The stream must bring the samples of `data`, and then end or fail as that did. */
static void check_stream(FILE *file, const struct rs_dataset *data, bool failed)
{
    struct rs_stream stream;
    struct rs_dataset_sample sample;
    bool more = true;
    uint32_t count = 0;
    const char *error = rs_stream_start(&stream, (FILE *[]){file, NULL}, (char *[]){"x", NULL}, MEMORY);
    while (!error && !(error = rs_stream_next(&stream, &sample, &more)) && more) {
        must(count < data->count && same_sample(&stream.shape, &sample, &data->samples[count]));
        count++;
    }
    must(!error == !failed && count == data->count);
    rs_stream_free(&stream);
    fclose(file);
}

/* rs-info goes by the kind, and takes any other for a record alone. */
static void check_info(FILE *stream, const struct rs_dataset *data, bool failed)
{
    char text[64];
    FILE *out = fmemopen(text, sizeof text, "w");
    const char *kind = rs_meta_get(&data->meta, "kind"), *error = rs_info_print(stream, out, "\t");
    must(failed || !error || !kind || strcmp(kind, "rs-tensor"));
    fclose(out);
    fclose(stream);
}

/* Record by record, as rs-patch reads: up to where they cease to be alike, or wrong, the samples of `data`. */
static void check_records(FILE *file, const struct rs_dataset *data)
{
    struct rs_tensor_record record = {0};
    bool more = true;
    uint32_t count = 0;
    while (count < data->count && !rs_tensor_read(file, MEMORY, &record, &more) && more)
        for (int n = 0; n < record.shape.samples && count < data->count; n++, count++) {
            struct rs_tensor_sample found = rs_tensor_sample(&record, n);
            const struct rs_dataset_sample sample = {(const unsigned char *)found.image, found.vessel,
                                                     found.fov};
            must(same_sample(&data->shape, &sample, &data->samples[count]));
        }
    must(count == data->count);
    rs_tensor_free(&record);
    fclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rs_dataset mapped = {0}, streamed = {0};
    fuzz_put(data, size);
    const char *error = add(&mapped, fuzz_open("rb"));
    const char *stream_error = add(&streamed, fuzz_stream(data, size));
    must(!error == !stream_error && mapped.count == streamed.count);
    for (uint32_t i = 0; i < mapped.count; i++)
        must(same_sample(&mapped.shape, &mapped.samples[i], &streamed.samples[i]));
    must(!mapped.count || !rs_dataset_differ(&mapped, &streamed));
    check_stream(fuzz_stream(data, size), &mapped, error);
    check_records(fuzz_stream(data, size), &mapped);
    check_info(fuzz_stream(data, size), &mapped, error);
    rs_dataset_free(&mapped);
    rs_dataset_free(&streamed);
    return 0;
}
