(defproject hello "1.0.0"
  :description "A ring and compojure app"
  :dependencies [[org.clojure/clojure "1.x"]
                 [ring/ring-core "debian"]
                 [ring/ring-jetty-adapter "debian"]
                 [compojure "debian"]]
  :main ^:skip-aot hello.core
  :uberjar-name "hello-standalone.jar"
  :profiles {:uberjar {:aot :all}})
