/* resolver/anchors.h - the keys of the DNS root, as IANA publishes them
 *
 * KSK-2017 (tag 20326) and KSK-2024 (tag 38696), which signs from October 2026 on
 * [RFC7958]; https://data.iana.org/root-anchors/root-anchors.xml, Debian's
 * dns-root-data. An operator with older software, or another root, names a file in
 * dns_trust_anchor.
 */
#pragma once

#define ROOT_ANCHORS                                                                   \
	". IN DS 20326 8 2 "                                                           \
	"E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n"           \
	". IN DS 38696 8 2 "                                                           \
	"683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16\n"
