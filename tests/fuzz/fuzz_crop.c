/* Tensors that rs-patch cuts: memory follows what arrives, and a square is read again as the record it is, of the
 * sample's numbers and what lies beyond its edges. */
#include "fuzz.h"

#include "format/image.h"
#include "picture/crop.h"

enum { SIZE = 2, MOST_SAMPLES = 4 };

static bool same_bits(float a, float b)
{
    return !memcmp(&a, &b, sizeof a);
}

/* `square` is what was cut at (x, y). */
static void compare(const struct rs_crop *crop, const struct rs_tensor_record *square, int x, int y,
                    bool with_fov)
{
    const struct rs_tensor *from = &crop->shape, *to = &square->shape;
    struct rs_tensor_sample sample = rs_tensor_sample(square, 0);
    must(to->samples == 1 && to->channels == from->channels && to->width == SIZE && to->height == SIZE);
    must(to->has_vessel == from->has_vessel && to->has_fov == (from->has_fov || with_fov));
    for (int i = 0; i < to->channels * SIZE * SIZE; i++) {
        int c = i / (SIZE * SIZE), row = y + i / SIZE % SIZE, column = x + i % SIZE;
        size_t pixel = (size_t)row * (size_t)from->width + (size_t)column;
        size_t plane = (size_t)from->width * (size_t)from->height;
        bool within = row < from->height && column < from->width;
        must(same_bits(sample.image[i], within ? crop->sample.image[(size_t)c * plane + pixel]
                                               : rs_prep_beyond(&crop->prep, c)));
        if (c == 0 && to->has_vessel)
            must(sample.vessel[i] == (within ? crop->sample.vessel[pixel] : 0));
        if (c == 0 && to->has_fov)
            must(sample.fov[i] == (!within ? 0 : from->has_fov ? crop->sample.fov[pixel] : 255));
    }
}

static void cut(struct rs_crop *crop, int x, int y, bool with_fov)
{
    char *bytes;
    size_t size;
    struct rs_tensor_record back = {0};
    bool more;
    FILE *stream = open_memstream(&bytes, &size);
    must(!rs_crop_write(stream, crop, x, y, with_fov));
    fclose(stream);
    stream = fuzz_stream((uint8_t *)bytes, size);
    must(!rs_tensor_read(stream, RS_MAX_PIXELS, &back, &more) && more);
    compare(crop, &back, x, y, with_fov);
    must(!rs_tensor_read(stream, RS_MAX_PIXELS, &back, &more) && !more);
    rs_tensor_free(&back);
    fclose(stream);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rs_tensor_record record = {0};
    struct rs_crop crop = {0};
    bool more = true;
    FILE *stream = fuzz_stream(data, size);
    while (!rs_tensor_read(stream, RS_MAX_PIXELS, &record, &more) && more)
        for (int n = 0; n < record.shape.samples && n < MOST_SAMPLES; n++) {
            if (rs_crop_start(&crop, &record, n, SIZE))
                break;
            cut(&crop, 0, 0, n % 2);
            cut(&crop, record.shape.width - 1, record.shape.height - 1, n % 2);
        }
    must(record.room <= (1 << 20) + 2 * size);
    rs_tensor_free(&record);
    rs_crop_free(&crop);
    fclose(stream);
    return 0;
}
