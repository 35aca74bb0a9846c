(ns hello.core
  (:gen-class)
  (:require [compojure.core :refer [defroutes GET]]
            [compojure.route :as route]
            [ring.adapter.jetty :refer [run-jetty]]))

(defroutes app
  (GET "/" [] (str "Hello from ring and compojure on Clojure " (clojure-version) "\n"))
  (route/not-found "Not Found"))

(defn -main [& _]
  (run-jetty app {:port (Integer/parseInt (or (System/getenv "PORT") "5000")) :join? true}))
