/* tests/unit/test_net_limits.c - addresses, and what one client may do */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/net/net.h"

#include <stdio.h>

static struct net_address
address(const char *text)
{
	struct net_address a;

	assert_true(net_address_parse(span_str(text), &a));
	return a;
}

static void
test_address_parse_and_format(void **state)
{
	static const struct {
		const char *name, *text, *want; /* null: refused */
	} rows[] = {
	    {"ipv4",           "192.0.2.1",					   "192.0.2.1"  },
	    {"ipv6",           "2001:DB8::1",					 "2001:db8::1"},
	    {"mapped is ipv4", "::ffff:192.0.2.1",                                    "192.0.2.1"  },
	    {"loopback",       "::1",						 "::1"        },
	    {"short ipv4",     "10.1",						NULL         },
	    {"octal",          "010.0.0.1",					   NULL         },
	    {"too large",      "256.0.0.1",					   NULL         },
	    {"brackets",       "[::1]",					       NULL         },
	    {"scope",          "fe80::1%eth0",					NULL         },
	    {"empty",          "",						    NULL         },
	    {"blank",          " 1.2.3.4",					    NULL         },
	    {"far too long",   "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0",
	     NULL										  },
	};
	char text[NET_ADDRESS_TEXT_MAX];
	struct net_address a;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		bool ok = net_address_parse(span_str(rows[i].text), &a);

		print_message("%s\n", rows[i].name);
		assert_int_equal(ok, rows[i].want != NULL);
		if (ok)
			assert_string_equal(net_address_text(&a, text), rows[i].want);
	}
}

static void
test_address_survives_sockaddr(void **state)
{
	static const char *rows[] = {"192.0.2.1", "2001:db8::1"};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct sockaddr_storage raw;
		struct net_address a = address(rows[i]), back;

		a.port = 465;
		assert_true(net_address_to_sockaddr(&a, &raw) > 0);
		assert_true(net_address_from_sockaddr((struct sockaddr *)&raw, &back));
		assert_true(net_address_equal(&a, &back));
	}
}

static struct net_key
key(const char *text)
{
	struct net_address a = address(text);

	return net_key_client(&a);
}

static void
test_keys_cut_to_their_prefix(void **state)
{
	struct net_address a = address("2001:db8:1:2:3::4"),
			   b = address("2001:db8:1:2::9"), c = address("192.0.2.1"),
			   d = address("192.0.2.2");
	struct net_key x, y;

	(void)state;
	x = net_key_client(&a), y = net_key_client(&b);
	assert_memory_equal(&x, &y, sizeof(x));
	x = net_key_client(&c), y = net_key_client(&d);
	assert_memory_not_equal(&x, &y, sizeof(x));
	x = net_key_site(&c), y = net_key_site(&d);
	assert_memory_equal(&x, &y, sizeof(x));
}

static void
test_connections_at_the_limit(void **state)
{
	struct net_limits_config config = {.clients_max = 8, .connections_max = 20};
	struct net_limits *l = net_limits_new(&config);

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(net_limits_connect(l, key("192.0.2.1"), 0),
				 NET_ALLOWED);
	assert_int_equal(net_limits_connect(l, key("192.0.2.1"), 0), NET_TOO_MANY);
	assert_int_equal(net_limits_connect(l, key("192.0.2.2"), 0), NET_ALLOWED);
	net_limits_disconnect(l, key("192.0.2.1"));
	assert_int_equal(net_limits_connections(l, key("192.0.2.1")), 19);
	assert_int_equal(net_limits_connect(l, key("192.0.2.1"), 0), NET_ALLOWED);
	net_limits_free(&l);
}

static void
test_rate_refills_with_time(void **state)
{
	static const struct {
		uint64_t at_ms;
		uint32_t n;
		bool ok;
	} rows[] = {
	    {1000,  10, true },
            {1000,  1,  false},
            {1099,  1,  false},
            {1100,  1,  true },
	    {1100,  1,  false},
            {1500,  4,  true },
            {1500,  1,  false},
            {90000, 11, false},
	    {90000, 10, true },
            {89000, 1,  false},
	};
	struct net_limits_config config = {
	    .clients_max = 8, .rates[NET_EVENT_MESSAGE] = {10, 1000}
        };
	struct net_limits *l = net_limits_new(&config);

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("row %zu\n", i);
		assert_int_equal(net_limits_allow(l, key("192.0.2.1"),
						  NET_EVENT_MESSAGE, rows[i].n,
						  rows[i].at_ms),
				 rows[i].ok);
		assert_int_equal(net_limits_take(l, key("192.0.2.1"), NET_EVENT_MESSAGE,
						 rows[i].n, rows[i].at_ms),
				 rows[i].ok);
	}
	assert_true(net_limits_take(l, key("192.0.2.1"), NET_EVENT_ERROR, 1000, 90000));
	net_limits_free(&l);
}

static void
test_full_table_forgets_the_quiet_one(void **state)
{
	struct net_limits_config config = {
	    .clients_max = 2, .rates[NET_EVENT_ERROR] = {1, 1000000}
        };
	struct net_limits *l = net_limits_new(&config);

	(void)state;
	assert_int_equal(net_limits_connect(l, key("192.0.2.1"), 0), NET_ALLOWED);
	assert_true(net_limits_take(l, key("192.0.2.2"), NET_EVENT_ERROR, 1, 0));
	assert_false(net_limits_take(l, key("192.0.2.2"), NET_EVENT_ERROR, 1, 0));
	/* The third takes the place of the second, which has no connection. */
	assert_int_equal(net_limits_connect(l, key("192.0.2.3"), 0), NET_ALLOWED);
	assert_int_equal(net_limits_clients(l), 2);
	assert_int_equal(net_limits_connect(l, key("192.0.2.4"), 0), NET_CROWDED);
	assert_int_equal(net_limits_connections(l, key("192.0.2.1")), 1);
	net_limits_disconnect(l, key("192.0.2.1"));
	assert_int_equal(net_limits_connect(l, key("192.0.2.4"), 0), NET_ALLOWED);
	assert_int_equal(net_limits_connections(l, key("192.0.2.1")), 0);
	net_limits_free(&l);
}

/* Against a model that never forgets, with room for all clients of the run. */
static void
test_table_keeps_count_of_many(void **state)
{
	enum {
		CLIENTS = 300
	};
	struct net_limits_config config = {.clients_max = CLIENTS,
					   .connections_max = 5};
	struct net_limits *l = net_limits_new(&config);
	const char *text = getenv("SEED");
	unsigned seed = text ? (unsigned)strtoul(text, NULL, 10) : 20261122;
	uint32_t open[CLIENTS] = {0};

	(void)state;
	print_message("SEED=%u\n", seed);
	for (int i = 0; i < 100000; i++) {
		uint32_t n = (uint32_t)rand_r(&seed) % CLIENTS;
		struct net_key k = {
		    .ip = {(uint8_t)n, (uint8_t)(n >> 8)}
                };

		if (rand_r(&seed) % 2 && open[n] > 0) {
			net_limits_disconnect(l, k);
			open[n]--;
		} else {
			bool room = open[n] < 5;

			assert_int_equal(net_limits_connect(l, k, 0) == NET_ALLOWED,
					 room);
			open[n] += room;
		}
		assert_int_equal(net_limits_connections(l, k), open[n]);
	}
	net_limits_free(&l);
}

static void
test_crowd_refuses_by_chance(void **state)
{
	(void)state;
	assert_false(net_crowd_refuses(99, 100, 1000, 0));
	assert_false(net_crowd_refuses(100, 100, 1000, 0));
	assert_true(net_crowd_refuses(101, 100, 1000, 0));
	assert_false(net_crowd_refuses(101, 100, 1000, 1));
	assert_true(net_crowd_refuses(999, 100, 1000, 898));
	assert_false(net_crowd_refuses(999, 100, 1000, 899));
	assert_true(net_crowd_refuses(1000, 100, 1000, 899));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_address_parse_and_format),
	    cmocka_unit_test(test_address_survives_sockaddr),
	    cmocka_unit_test(test_keys_cut_to_their_prefix),
	    cmocka_unit_test(test_connections_at_the_limit),
	    cmocka_unit_test(test_rate_refills_with_time),
	    cmocka_unit_test(test_full_table_forgets_the_quiet_one),
	    cmocka_unit_test(test_table_keeps_count_of_many),
	    cmocka_unit_test(test_crowd_refuses_by_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
