/* Streams of images: what is read is whole, and is read again as it was when it is written. */
#include "format/pam.h"
#include "fuzz.h"

static size_t sample_count(const struct rs_image *image)
{
    return (size_t)image->width * (size_t)image->height * (size_t)rs_image_planes(image);
}

static void check_image(const struct rs_image *image)
{
    must(image->width > 0 && image->height > 0 && image->maxval > 0 && image->maxval <= 65535);
    must(sample_count(image) <= image->capacity);
    for (size_t i = 0; i < sample_count(image); i++)
        must(image->samples[i] <= image->maxval);
}

static void round_trip(const struct rs_image *image)
{
    char *bytes;
    size_t size;
    struct rs_image back = {0};
    bool more;
    FILE *stream = open_memstream(&bytes, &size);
    must(!rs_image_write(stream, image));
    fclose(stream);
    stream = fuzz_stream((uint8_t *)bytes, size);
    must(!rs_image_read(stream, RS_MAX_PIXELS, &back, &more) && more);
    must(back.subject == image->subject ||
         (image->subject == RS_PROB && rs_image_planes(image) == 1 && !image->is_patch));
    must(back.is_patch == image->is_patch && back.has_vessel == image->has_vessel &&
         back.has_fov == image->has_fov);
    must(back.width == image->width && back.height == image->height && back.maxval == image->maxval);
    must(!memcmp(back.samples, image->samples, sample_count(image) * sizeof *image->samples));
    must(!rs_image_read(stream, RS_MAX_PIXELS, &back, &more) && !more);
    rs_image_free(&back);
    fclose(stream);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rs_image image = {0};
    bool more = true;
    FILE *stream = fuzz_stream(data, size);
    while (!rs_image_read(stream, RS_MAX_PIXELS, &image, &more) && more) {
        check_image(&image);
        round_trip(&image);
    }
    must(image.capacity <= 16 * (size + 4096));
    rs_image_free(&image);
    fclose(stream);
    return 0;
}
