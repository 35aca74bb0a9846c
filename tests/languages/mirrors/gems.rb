# frozen_string_literal: true

# Makes a gem server's folder from unpacked Debian packages: real gems, rebuilt as `.gem` files, and
# the compact index that Bundler reads. For tests only. It never touches the network.
#
#   ruby gems.rb PACKAGES GEMS OUT      PACKAGES has one folder per unpacked package, GEMS has
#                                       finished gem files that are taken as they are

require "digest"
require "fileutils"
require "rubygems/package"
require "rubygems/user_interaction"
require "tmpdir"

PLATFORM = "x86_64-linux"

# One gem inside one unpacked package.
class Found
  attr_reader :spec

  def initialize(package, path, alone)
    @package = package
    @path = path
    @alone = alone
    @spec = Gem::Specification.load(path)
  end

  def usable?
    @spec && (home || @alone)
  end

  # Lays the gem's files out as its author did and returns the gem file's path.
  def build(out)
    Dir.mktmpdir do |work|
      lay_out(work)
      spec = described(work)
      Dir.chdir(work) { Gem::Package.build(spec, true) }
      FileUtils.mv(File.join(work, spec.file_name), out)
      File.join(out, spec.file_name)
    end
  end

  private

  def home
    folder = File.join(File.dirname(@path, 2), "gems", @spec.full_name)
    folder if File.directory?(folder)
  end

  def lay_out(work)
    if home
      copy(home, work)
      compiled.each { |folder| copy(folder, File.join(work, "lib")) }
    else
      vendored.each { |folder| copy(folder, File.join(work, "lib")) }
    end
    @spec.executables.each { |name| executable(work, name) }
  end

  def compiled
    Dir.glob(File.join(@package, "usr/lib/**/extensions/*/*/#{@spec.full_name}"))
  end

  def vendored
    Dir.glob(File.join(@package, "usr/lib/ruby/vendor_ruby")) +
      Dir.glob(File.join(@package, "usr/lib/*-linux-gnu/ruby/vendor_ruby/*"))
  end

  # Links that leave the package are dropped: a gem has no links out.
  def copy(from, to)
    Dir.glob("**/*", File::FNM_DOTMATCH, base: from).each do |name|
      path = File.join(from, name)
      next unless File.file?(path)

      target = File.join(to, name)
      FileUtils.mkdir_p(File.dirname(target))
      FileUtils.cp(path, target)
    end
  end

  def executable(work, name)
    target = File.join(work, @spec.bindir, name)
    return if File.exist?(target)

    source = Dir.glob(File.join(@package, "usr/bin/#{name}{,3.3}")).find { |path| File.file?(path) }
    FileUtils.mkdir_p(File.dirname(target))
    source ? FileUtils.cp(source, target) : File.write(target, launcher(name))
    FileUtils.chmod(0o755, target)
  end

  def launcher(name)
    "#!/usr/bin/env ruby\nload Gem.bin_path(#{@spec.name.inspect}, #{name.inspect})\n"
  end

  def described(work)
    spec = @spec.dup
    spec.files = Dir.glob("**/*", File::FNM_DOTMATCH, base: work)
                    .select { |name| File.file?(File.join(work, name)) }
    spec.extensions = spec.extra_rdoc_files = spec.test_files = []
    spec.platform = PLATFORM if spec.files.any? { |name| name.end_with?(".so") }
    spec.require_paths = spec.require_paths.select { |name| File.directory?(File.join(work, name)) }
    spec.require_paths = ["lib"] if spec.require_paths.empty?
    spec
  end
end

# The files Bundler asks for: /names, /versions, /info/NAME.
class CompactIndex
  def initialize(out)
    @out = out
    @lines = Hash.new { |lines, name| lines[name] = [] }
  end

  def add(spec, file)
    wants = spec.runtime_dependencies.map { |dep| "#{dep.name}:#{requirement(dep.requirement)}" }
    facts = ["checksum:#{Digest::SHA256.file(file).hexdigest}",
             "ruby:#{requirement(spec.required_ruby_version)}"]
    @lines[spec.name] << [number(spec), "#{wants.join(",")}|#{facts.join(",")}"]
  end

  def write
    FileUtils.mkdir_p(File.join(@out, "info"))
    index = @lines.sort.map { |name, lines| "#{name} #{lines.map(&:first).join(",")} #{info(name, lines)}\n" }
    File.write(File.join(@out, "versions"), "created_at: 2026-01-01T00:00:00Z\n---\n#{index.join}")
    File.write(File.join(@out, "names"), "---\n#{@lines.keys.sort.join("\n")}\n")
  end

  private

  def info(name, lines)
    text = "---\n#{lines.map { |number, rest| "#{number} #{rest}\n" }.join}"
    File.write(File.join(@out, "info", name), text)
    Digest::MD5.hexdigest(text)
  end

  def number(spec)
    spec.platform == Gem::Platform::RUBY ? spec.version.to_s : "#{spec.version}-#{spec.platform}"
  end

  def requirement(requirement)
    requirement.requirements.map { |operator, version| "#{operator} #{version}" }.sort.join("&")
  end
end

def gems_of(package)
  paths = Dir.glob(File.join(package, "usr/**/specifications/*.gemspec"))
  paths.map { |path| Found.new(package, path, paths.one?) }.select(&:usable?)
end

Gem::DefaultUserInteraction.ui = Gem::SilentUI.new
packages, finished, out = ARGV
FileUtils.mkdir_p(File.join(out, "gems"))
index = CompactIndex.new(out)
seen = {}
Dir.glob(File.join(packages, "*")).sort.flat_map { |package| gems_of(package) }.each do |found|
  next if seen[found.spec.full_name]

  seen[found.spec.full_name] = true
  file = found.build(File.join(out, "gems"))
  index.add(Gem::Package.new(file).spec, file)
end
Dir.glob(File.join(finished, "*.gem")).each do |file|
  spec = Gem::Package.new(file).spec
  target = File.join(out, "gems", spec.file_name)
  FileUtils.cp(file, target)
  index.add(spec, target)
end
index.write
puts "#{seen.size} gems"
