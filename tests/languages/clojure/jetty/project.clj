(defproject hello "1.0.0"
  :description "Central only: Clojure with Jetty by interop"
  :min-lein-version "2.0.0"
  :dependencies [[org.clojure/clojure "1.12.0"]
                 [org.eclipse.jetty/jetty-server "11.0.24"]
                 [org.slf4j/slf4j-simple "2.0.16"]]
  :main ^:skip-aot hello.core
  :uberjar-name "hello-standalone.jar"
  :profiles {:uberjar {:aot :all}})
