#include "base/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t noted;

static void note(int signal)
{
    noted = signal;
}

void rs_interrupt_watch(void)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    const int signals[] = {SIGTERM, SIGINT, SIGUSR1};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
}

int rs_interrupt_take(void)
{
    int taken = noted;
    noted = 0;
    return taken;
}

int rs_interrupt_ends(int signal)
{
    return signal == SIGTERM || signal == SIGINT;
}

void rs_interrupt_obey(int number)
{
    signal(number, SIG_DFL);
    raise(number);
}
