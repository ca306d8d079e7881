#include "base/interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_int noted; /* lock-free, as a handler wants it */

static void note(int signal)
{
    int none = 0;
    if (rs_interrupt_ends(signal))
        atomic_store(&noted, signal);
    else
        atomic_compare_exchange_strong(&noted, &none, signal);
}

void rs_interrupt_watch(bool wakes)
{
    const int signals[] = {SIGTERM, SIGINT, SIGUSR1};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        bool restarts = !wakes || !rs_interrupt_ends(signals[i]);
        struct sigaction action = {.sa_handler = note, .sa_flags = restarts ? SA_RESTART : 0};
        sigemptyset(&action.sa_mask);
        sigaction(signals[i], &action, NULL);
    }
}

int rs_interrupt_take(void)
{
    return atomic_exchange(&noted, 0);
}

bool rs_interrupt_ends(int signal)
{
    return signal == SIGTERM || signal == SIGINT;
}

void rs_interrupt_obey(int number)
{
    signal(number, SIG_DFL);
    raise(number);
}
