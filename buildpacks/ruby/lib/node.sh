# shellcheck shell=bash
install_node_if_needed() { :; }
