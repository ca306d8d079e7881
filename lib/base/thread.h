/* One pool of threads for the life of the process.
 *
 * Work that ends in sums is cut into shards by its size alone, never by the number of threads, so that sums taken in
 * shard order are the same whoever computed them. */
#ifndef RS_BASE_THREAD_H
#define RS_BASE_THREAD_H

/* Starts the pool; `threads` counts the caller, 0 means as many as the process may run on. Called again, it can only
 * add threads; without it rs_parallel runs in the caller. Returns an error text if a thread cannot be started. */
const char *rs_threads_start(int threads);

int rs_threads(void); /* how many work, the caller among them; at least 1 */

/* Calls work(context, shard, worker) for every shard in [0, shards), each once, in any order on any thread,
 * and returns when all are done. `worker` in [0, rs_threads()) tells threads apart, for scratch memory. Not
 * to be nested, but for one shard, which runs in the caller. */
void rs_parallel(void (*work)(void *context, int shard, int worker), void *context, int shards);

#endif
