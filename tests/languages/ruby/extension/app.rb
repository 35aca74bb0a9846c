require "socket"
require "openssl"
require "yaml"
require "demo"

ruby = RUBY_VERSION[/\d+\.\d+/]
openssl = OpenSSL::OPENSSL_LIBRARY_VERSION[/\w+/]
SAID = "#{ruby} #{openssl} #{YAML.load("yaml")} pq #{libpq} #{`curl --version`[0, 4]}"

server = TCPServer.new("0.0.0.0", ENV.fetch("PORT").to_i)
loop do
  client = server.accept
  nil until client.gets.to_s.strip.empty?
  client.write "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n#{SAID}"
  client.close
end
