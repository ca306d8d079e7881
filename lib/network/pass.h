/* Passes over a U-Net: forward in training and in use, and backward. */
#ifndef RS_NETWORK_PASS_H
#define RS_NETWORK_PASS_H

#include "layer/act.h"
#include "layer/map.h"
#include "network/unet.h"

/* Memory for passes over up to n images of h x w; for training, what backward needs is kept. */
struct rs_unet_work;
struct rs_unet_work *rs_unet_work_new(const struct rs_unet *net, int n, int h, int w, bool training);
void rs_unet_work_free(struct rs_unet_work *work);
void rs_unet_work_use(struct rs_unet_work *work, int n); /* of the images, only the first n from here on */

/* The input map [n][h][w][inputs], to be filled before forward. */
struct rs_map rs_unet_input(const struct rs_unet_work *work);

/* Logits [n][h][w][1], owned by `work`, with running statistics and no dropout. */
struct rs_map rs_unet_infer(const struct rs_unet *net, struct rs_unet_work *work);

/* Logits with the batch's statistics, which also move the running ones; drop->layer is set here. `work` was
 * made for training. */
struct rs_map rs_unet_forward(struct rs_unet *net, struct rs_unet_work *work, const struct rs_drop *drop);

/* The gradient of the parameters from that of the logits, after the rs_unet_forward with the same `drop`. */
void rs_unet_backward(const struct rs_unet *net, struct rs_unet_work *work, struct rs_map dlogits,
                      float *gradient, const struct rs_drop *drop);

#endif
