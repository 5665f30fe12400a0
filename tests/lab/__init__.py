"""A small internet on one machine: Postroad twice, Postfix, Exim, DNS with signed zones, odd peers."""
