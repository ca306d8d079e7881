#include "base/interrupt.h"

#include <signal.h>
#include <stdatomic.h>

static atomic_int noted; /* lock-free, as a handler wants it */

static void note(int signal)
{
    int none = 0;
    if (rs_interrupt_ends(signal))
        atomic_store(&noted, signal);
    else
        atomic_compare_exchange_strong(&noted, &none, signal);
}

void rs_interrupt_watch(int signal, bool wakes)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = wakes ? 0 : SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
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
