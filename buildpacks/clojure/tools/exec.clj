;; Calls one function with a map, as -X and -T of Clojure's tools do:
;; [function] [key value]... [map], with defaults from the aliases that the basis names.
(require '[clojure.edn :as edn])

(defn- parse [text]
  (edn/read-string {:default tagged-literal} text))

(defn- full-name [{:keys [ns-default ns-aliases]} function]
  (if-let [space (namespace function)]
    (symbol (str (get ns-aliases (symbol space) space)) (name function))
    (if ns-default
      (symbol (str ns-default) (name function))
      (throw (ex-info (str "The function " function " needs a namespace, or the alias a :ns-default") {})))))

(defn- with-pairs [arguments words]
  (let [trailing (when (odd? (count words)) (last words))]
    (merge (reduce (fn [all [path value]] (assoc-in all (if (vector? path) path [path]) value))
                   arguments
                   (partition 2 words))
           trailing)))

(let [basis (parse (slurp (System/getProperty "clojure.basis")))
      {:keys [exec-fn exec-args] :as given} (:argmap basis)
      words (map parse *command-line-args*)
      named (when (symbol? (first words)) (first words))
      function (or named exec-fn)]
  (when-not function
    (throw (ex-info "No function is given, and the aliases have no :exec-fn" {})))
  ((requiring-resolve (full-name given function))
   (with-pairs (or exec-args {}) (if named (rest words) words)))
  (shutdown-agents))
