require "mkmf"

have_library("pq")
find_header("libpq-fe.h", "/usr/include/postgresql")
create_makefile("demo")
