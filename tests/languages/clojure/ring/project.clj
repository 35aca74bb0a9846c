(defproject hello "1.0.0"
  :description "A ring and compojure app"
  :dependencies [[org.clojure/clojure "1.12.0"]
                 [ring/ring-core "1.8.2"]
                 [ring/ring-jetty-adapter "1.8.2"]
                 [compojure "1.6.0"]]
  :main ^:skip-aot hello.core
  :uberjar-name "hello-standalone.jar"
  :profiles {:uberjar {:aot :all}})
