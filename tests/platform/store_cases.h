#ifndef STORE_CASES_H
#define STORE_CASES_H

/* Tests that every store passes. They take a store_fixture whose store is closed and empty. */

#include "store_fixture.h"

void records_come_back_in_order_and_whole(void **state);
void a_removed_record_is_gone_immediately_and_after_reopening(void **state);
void numbers_go_on_when_all_records_are_gone(void **state);
void removing_what_is_not_there_is_no_error(void **state);
void random_use_agrees_with_a_model(void **state);
void any_number_of_records_may_go_out_of_order(void **state);

#endif
