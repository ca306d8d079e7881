/* Training passes over a U-Net: forward with the batch's statistics, and backward. (Use is flow.h's.) */
#ifndef RS_NETWORK_PASS_H
#define RS_NETWORK_PASS_H

#include "layer/norm.h"
#include "network/unet.h"

/* Memory for passes over up to n images of h x w, on the pool's threads. */
struct rs_pass;
struct rs_pass *rs_pass_new(const struct rs_unet *net, int n, int h, int w);
void rs_pass_free(struct rs_pass *pass);
void rs_pass_use(struct rs_pass *pass, int n); /* of the images, only the first n from here on */

/* The input map [n][h][w][inputs], to be filled before forward. */
struct rs_map rs_pass_input(const struct rs_pass *pass);

/* Logits [n][h][w][1], owned by `pass`; moves the network's running statistics; drop->layer is set here. */
struct rs_map rs_pass_forward(struct rs_pass *pass, struct rs_unet *net, const struct rs_drop *drop);

/* The gradient of the parameters from that of the logits, after the rs_pass_forward with the same `drop`. */
void rs_pass_backward(struct rs_pass *pass, const struct rs_unet *net, struct rs_map dlogits, float *gradient,
                      const struct rs_drop *drop);

#endif
