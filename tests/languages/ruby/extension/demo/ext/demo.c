#include <ruby.h>
#include <libpq-fe.h>

/* What compilers took for a warning when the older lines of Ruby were new. */
static int *old = 17;

static VALUE libpq(VALUE self) { return INT2NUM(old ? PQlibVersion() / 10000 : 0); }

void Init_demo(void) { rb_define_global_function("libpq", libpq, 0); }
