Gem::Specification.new do |spec|
  spec.name = "demo"
  spec.version = "1"
  spec.summary = "Calls a C library of the stack"
  spec.author = "nobody"
  spec.files = ["ext/demo.c"]
  spec.extensions = ["ext/extconf.rb"]
end
