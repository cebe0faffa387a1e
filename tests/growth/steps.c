#include "steps.h"

static uint64_t steps;

/* The compiler inserts a call of this function at the start of each basic block. */
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
    steps++;
}

uint64_t steps_now(void)
{
    return steps;
}

void steps_check(const char *what, steps_job *job, size_t few)
{
    const size_t many = 8 * few;
    const double each_of_few = (double)job(few) / (double)few;
    const double each_of_many = (double)job(many) / (double)many;

    print_message("%-60s %8.1f %8.1f\n", what, each_of_few, each_of_many);
    assert_true(each_of_few > 0); /* zero would mean that the code was not compiled for counting */
    if (each_of_many > 1.5 * each_of_few) {
        fail_msg("%s: %.1f steps for each of %zu, %.1f for each of %zu", what, each_of_few, few,
                 each_of_many, many);
    }
}
